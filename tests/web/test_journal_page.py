import pytest
from nicegui import ui

from brewslm.observe.events import events
from brewslm.observe.journal import journal

pytestmark = pytest.mark.anyio


def links(user) -> list[str]:
    with user:
        return [one.props["href"] for one in user.find(kind=ui.link).elements]


async def test_a_day_tells_what_was_done_what_it_earned_and_leads_to_its_events(user, walk):
    run = walk.imported()
    await user.open(f"/projects/{walk.project}/journal")
    for seen in (
        "You imported 60 rows",
        "unlocked: First rows",
        f"{journal(walk.project).experience:,}",
        "0 read, 0 quizzes passed",
    ):
        await user.should_see(seen)
    (imported,) = events(walk.project)
    assert {f"/projects/{walk.project}/events/{imported.id}", f"/projects/{walk.project}/events?run={run}"} <= set(links(user))


async def test_entries_are_searched_and_lead_to_their_day(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/journal?text=label_to_classification")
    await user.should_see("The newest 1 that fit")
    day = events(walk.project)[0].ts[:10]
    assert f"/projects/{walk.project}/journal?day={day}" in links(user)
    await user.open(f"/projects/{walk.project}/journal?text=okapi")
    await user.should_see("No entry fits.")


async def test_a_day_without_entries_leads_to_the_newest(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/journal?day=2001-01-01")
    await user.should_see("Nothing happened on this day.")


async def test_the_page_of_a_long_stream_stands_before_it_is_read(user, walk, monkeypatch):
    walk.imported()
    monkeypatch.setattr("brewslm.web.journal.AT_ONCE", 0)
    answer = await user.http_client.get(f"/projects/{walk.project}/journal")
    assert "1 event is being read" in answer.text and "unlocked: First rows" not in answer.text
    await user.open(f"/projects/{walk.project}/journal")
    await user.should_see("unlocked: First rows")
    await user.should_not_see("being read")
