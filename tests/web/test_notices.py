import pytest

from brewslm.pipeline import execute
from brewslm.stages.clean import CleanRequest
from brewslm.store.database import transaction
from brewslm.store.tables import Run, now
from brewslm.web.notices import _FOLLOWED

pytestmark = pytest.mark.anyio


def ask(user, *run_ids: str) -> None:
    """The browser says which runs it waits for."""
    with user:
        live = next(one for one in user.client.elements.values() if "notices" in one.classes)
        for listener in live._event_listeners.values():
            live._handle_event({"listener_id": listener.id, "args": list(run_ids)})


def end(run_id: str, state: str) -> None:
    with transaction() as session:
        run = session.get_one(Run, run_id)
        run.state, run.ended_at = state, now()


async def test_a_run_of_this_browser_that_ended_elsewhere_is_told_with_a_link_and_one_that_has_not_waits(user, walk):
    done, waits = walk.run("exp", "train.run", state="queued"), walk.run("exp", "train.run", state="queued")
    end(done, "failed")
    await user.open(f"/projects/{walk.project}/data")
    ask(user, done, waits, "exp-99")
    await user.should_see(f"{done} failed")
    await user.should_not_see(f"{waits} failed")
    end(waits, "succeeded")
    ask(user, waits)
    await user.should_see("2 runs ended")
    user.find("Clear").click()
    await user.should_not_see("2 runs ended")


async def test_what_the_page_itself_follows_to_its_end_is_not_told_there(user, walk):
    done = walk.run("exp", "train.run")
    await user.open(f"/projects/{walk.project}/data")
    with user:
        _FOLLOWED[user.client].add(done)
    other = execute.queue("page", CleanRequest(project=walk.project)).task_id
    end(other, "cancelled")
    ask(user, done, other)
    await user.should_see(f"{other} cancelled")
