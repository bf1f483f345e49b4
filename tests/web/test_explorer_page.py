import anyio
import orjson
import pytest
from nicegui import ui
from nicegui.testing.user_interaction import UserInteraction
from sqlalchemy import text

from brewslm.errors import StageError
from brewslm.observe.chains import chain_head
from brewslm.observe.events import PAGE
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed
from brewslm.stages.clean import CleanRequest
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.store.database import transaction
from brewslm.web.parts import Text
from tests.observe.stream import write

pytestmark = pytest.mark.anyio


def links(user) -> dict[str, str]:
    with user:
        found = sorted(user.find(kind=ui.link).elements, key=lambda one: one.id)
    return {one.props.get("aria-label") or one.text or _inner(one): one.props["href"] for one in found}


def _inner(one) -> str:
    return " ".join(child.text for child in one.default_slot.children if getattr(child, "text", ""))


def files(user) -> dict[str, str]:
    """What can be downloaded: its words → its address."""
    return {one.text: one.props["href"] for one in user.client.elements.values() if one.tag == "a" and "download" in one.props}


def called(project: int) -> None:
    for actor in ("ana", "ben"):
        with pytest.raises(RunFailed):
            execute.call(actor, CleanRequest(project=project))
    with pytest.raises(StageError):
        execute.call("ana", UndoRequest(import_run="import-9"))


async def test_who_asked_for_what_is_counted_and_every_count_is_a_filter(user, project):
    called(project)
    await user.open(f"/projects/{project}/explorer")
    for seen in ("clean.run", "accepted", "failed", "nothing_to_clean"):
        await user.should_see(seen)
    found = links(user)
    assert found["clean.run 2"].endswith("explorer?operation=clean.run") and found["ana 1"].endswith("explorer?actor=ana")
    await user.open(found["ana 1"])
    found = links(user)
    assert found["ben 1"].endswith("?actor=ben") and found["ana 1 ×"].endswith("/explorer")  # taken away by a second click
    await user.should_see("Export 1 call")


async def test_a_search_finds_calls_and_the_request_that_they_belong_to(user, project):
    called(project)
    await user.open(f"/projects/{project}/explorer?text=clean-2")
    await user.should_see("Export 1 call")
    request = next(target for name, target in links(user).items() if name.startswith("All calls of the request"))
    assert "text=clean-2&request_id=" in request
    await user.open(f"/projects/{project}/explorer?text=nobody")
    await user.should_see("No call fits.")
    await user.open(f"/projects/{project}/explorer?severity=error")  # one of the other view's
    await user.should_see("Left out, for it can't be used: severity")


async def test_events_are_searched_and_read_page_by_page(user, project):
    write(
        project,
        [{"run": f"exp-{number}", "payload": {"note": "okapi" if number % 2 else "else"}} for number in range(2 * PAGE + 4)],
    )
    await user.open(f"/projects/{project}/explorer?of=events&text=okapi")
    shown = [name for name in links(user) if name.startswith("exp-")]
    assert len(shown) == PAGE and shown[0] == f"exp-{2 * PAGE + 3}"
    assert any(name.endswith(f"{PAGE + 2}") for name in links(user))  # so many of one severity, to filter by
    await user.open(links(user)["Older"])
    assert [name for name in links(user) if name.startswith("exp-")] == ["exp-3", "exp-1"]
    await user.open(links(user)["Newer"])
    assert [name for name in links(user) if name.startswith("exp-")] == shown
    assert links(user)["Newest"].endswith("explorer?of=events&text=okapi")


async def test_what_is_found_is_taken_along_in_four_formats(user, project):
    called(project)
    for query, name, count in (("?operation=clean.run", "calls.jsonl", 2), ("?of=events&severity=error", "events.jsonl", 2)):
        await user.open(f"/projects/{project}/explorer{query}")
        given = files(user)
        assert set(given) == {"JSON lines", "CSV", "Parquet", "CloudEvents"}
        answer = await user.http_client.get(f"http://127.0.0.1{given['JSON lines']}")
        assert answer.status_code == 200 and name in answer.headers["content-disposition"]
        assert len([orjson.loads(line) for line in answer.content.splitlines()]) == count
        for format in ("CSV", "Parquet", "CloudEvents"):
            assert (await user.http_client.get(f"http://127.0.0.1{given[format]}")).status_code == 200


async def test_the_chain_is_verified_in_words_and_held_against_a_head_that_was_kept(user, project):
    write(project, [{}, {}])
    kept = chain_head(project)
    write(project, [{}])
    await user.open(f"/projects/{project}/explorer")
    user.find("Verify the chain").click()
    await user.should_see("The chain is whole")
    await user.should_see("3 events were read and hashed anew; each follows the one before it; none is missing.")
    head = await user.http_client.get(f"http://127.0.0.1{files(user)['Download the head']}")
    assert head.json()["sequence"] == 3 and head.json()["hash"] == chain_head(project).hash
    choose(user, kept.model_dump_json())
    await user.should_see("and goes on from it")
    choose(user, kept.model_copy(update={"hash": "f" * 64}).model_dump_json())
    await user.should_see("The chain is broken")
    await user.should_see("rewritten")
    for wrong, cause in (("{}", "it is not what Download the head gives"), ("other", "")):
        choose(user, kept.model_copy(update={"project": 9}).model_dump_json() if wrong == "other" else wrong)
        await user.should_see("It can't be held against this chain")
        if cause:
            await user.should_see(cause)


def choose(user, said: str) -> None:
    """What the browser does with a chosen file: it reads it, and sends its text."""
    field = next(one for one in user.client.elements.values() if one.tag == "input" and one.props.get("type") == "file")
    UserInteraction(user, {field}, None).trigger("change", said)


async def test_an_edited_event_is_named_and_led_to(user, project):
    ids = write(project, [{}, {}, {}])
    await anyio.to_thread.run_sync(edit, ids[1])
    await user.open(f"/projects/{project}/explorer?of=events")
    user.find("Verify the chain").click()
    await user.should_see("The chain is broken: 1 fault")
    await user.should_see("edited")
    assert links(user)[f"event {ids[1]:,}"] == f"/projects/{project}/events/{ids[1]}"
    assert user.find(kind=Text, content="hashed anew").elements


def edit(event: int) -> None:
    with transaction() as session:
        for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'run_events'")):
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text(f"UPDATE run_events SET actor = 'nobody' WHERE id = {event}"))
