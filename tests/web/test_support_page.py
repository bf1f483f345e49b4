import anyio
import pytest
from nicegui import ui

from brewslm.observe.support import support_bundles
from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.web.parts import Text

pytestmark = pytest.mark.anyio


def href(user, said: str) -> str:
    with user:
        return next(one.props["href"] for one in user.find(kind=Text, content=said).elements if one.text == said)


async def test_what_is_in_it_and_what_is_taken_out_is_shown_before_anything_is_made(user, walk):
    walk.imported()
    walk.run("exp", "train.run", "failed", problem={"code": "training_oom"})
    await user.open(f"/projects/{walk.project}/support")
    for seen in (
        "A bundle of the whole project",
        "1 failed; each with its request, problem and frozen job",
        "variables such as HF_TOKEN",
        "weights",
        "None was made yet",
    ):
        await user.should_see(seen)
    await user.open(f"/projects/{walk.project}/support?run=exp-1")
    await user.should_see("A bundle of exp-1 and what ran under it")
    await user.open(f"/projects/{walk.project}/support?run=exp-9")
    await user.should_see("This project has no run exp-9")
    await user.should_see("A bundle of the whole project")


async def test_a_bundle_is_made_with_a_second_click_and_handed_over_by_a_link_that_ends(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/support")
    user.find(kind=Text, content="Make a support bundle").click()
    await user.should_see("Nothing leaves this machine")
    assert tasks(walk.project, operation="support.bundle") == []
    now = user.find("Make it now")
    now.trigger("click")
    now.trigger("click")
    await user.should_see("A bundle is being made")
    (queued,) = tasks(walk.project, operation="support.bundle")
    assert (queued.actor, queued.request["run"]) == ("page", None)
    await anyio.to_thread.run_sync(execute.perform, queued.task_id)
    await user.should_see("support-1 is made")
    await user.should_see("A link to support-1")
    (made,) = support_bundles(walk.project)
    await user.should_see(f"{made.sha256[:16]}…")
    given = await user.http_client.get(f"http://127.0.0.1{href(user, 'Download')}")
    assert given.status_code == 200 and given.content[:2] == b"PK" and len(given.content) == made.size_bytes
    await user.open(f"/projects/{walk.project}/support")
    await user.should_see("support-1")
    await user.should_not_see("A link to support-1")
    user.find("Hand it over").click()
    await user.should_see("http://127.0.0.1/api/support-bundles/support-1/file?token=")


async def test_a_bundle_whose_file_is_gone_says_so(user, walk):
    await user.open(f"/projects/{walk.project}/support")
    user.find(kind=Text, content="Make a support bundle").click()
    user.find("Make it now").click()
    await user.should_see("A bundle is being made")
    await anyio.to_thread.run_sync(execute.perform, "support-1")
    await user.should_see("A link to support-1")
    (made,) = support_bundles(walk.project)
    await anyio.Path(made.path).unlink()
    await user.open(f"/projects/{walk.project}/support")
    await user.should_see("its file is gone")
    assert not [
        one for one in user.client.elements.values() if isinstance(one, ui.element) and getattr(one, "text", "") == "Hand it over"
    ]
