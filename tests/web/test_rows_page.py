import pytest
from nicegui import ui

from brewslm.pipeline.execute import call
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.web.parts import Text

pytestmark = pytest.mark.anyio


def shown(user) -> list[str]:
    """The row ids of the table, in its order."""
    found = [one for one in user.client.elements.values() if isinstance(one, ui.link) and one.props["href"].startswith("/rows/")]
    return [one.text for one in found]


def way(user, text: str) -> str:
    found = [one for one in user.client.elements.values() if isinstance(one, ui.link) and one.text == text]
    assert len(found) == 1, (text, found)
    return found[0].props["href"]


async def test_the_rows_are_paged_by_the_address_there_and_back(user, walk):
    walk.imported(130, broken=3)
    await user.open(f"/projects/{walk.project}/rows")
    await user.should_see("130 rows count · 3 rejected · 0 undone")
    await user.should_see("1–50 of 130")
    first = shown(user)
    await user.open(way(user, "Next"))
    await user.should_see("51–100 of 130")
    await user.open(way(user, "Next"))
    await user.should_see("101–130 of 130")
    assert len(shown(user)) == 30
    await user.open(way(user, "Previous"))
    await user.should_see("51–100 of 130")
    await user.open(way(user, "Previous"))
    assert shown(user) == first


async def test_what_is_looked_for_is_marked_and_rejected_rows_say_why(user, walk):
    walk.imported(60, broken=2)
    await user.open(f"/projects/{walk.project}/rows?text=LOVELY&label=positive")
    marks = [one.text for one in user.client.elements.values() if isinstance(one, Text) and one.tag == "mark"]
    assert marks and set(marks) == {"lovely"}
    await user.open(f"/projects/{walk.project}/rows?status=rejected&import=import-1&reason=invalid_json")
    await user.should_see("1–2 of 2")
    await user.should_see("The line is not valid JSON.")
    await user.should_see("{broken")
    await user.open(f"/projects/{walk.project}/rows?text=nobody%20says%20this")
    await user.should_see("No row fits.")


async def test_undone_rows_and_the_splits_of_a_manifest_have_their_own_addresses(user, walk):
    walk.imported()
    ids = walk.prepared()
    await user.open(f"/projects/{walk.project}/rows?manifest=1&split=dev")
    await user.should_see("1–4 of 4")
    assert shown(user) == ids["dev"]
    call("test", UndoRequest(import_run="import-1"))
    await user.open(f"/projects/{walk.project}/rows")
    await user.should_see("No row counts in this project yet.")
    await user.open(f"/projects/{walk.project}/rows?status=undone")
    await user.should_see("1–50 of 60")
