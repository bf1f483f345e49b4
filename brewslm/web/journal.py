"""/ui/projects/{id}/journal: the Lab Journal: where one stands, and what was done, day by day."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brewslm.audit.filters import EventFilter
from brewslm.audit.filters import Text as SearchText
from brewslm.errors import StageError
from brewslm.observe.academy import AcademyView, academy
from brewslm.observe.diary_words import sentence
from brewslm.observe.events import PAGE, EventView, events
from brewslm.observe.figures import counted
from brewslm.observe.journal import AchievementView, Day, Entry, Journal, stream_length, whole_journal, zone_of
from brewslm.web.doing import attempt
from brewslm.web.filters import FilterField, filter_form
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, link, problem
from brewslm.web.pieces import empty, stats, title_row
from brewslm.web.query import Heard, address, fields_of, heard
from brewslm.web.words import SEVERITY_SIGNS, Sign, plain

AT_ONCE = 20_000
"""Events that are read before the page is shown; of a longer stream the page comes first."""


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except StageError:
        raise ValueError("It is the name of a time zone, such as UTC or Europe/Berlin.") from None
    return name


class Asked(BaseModel):
    """A day of the diary, whose zone it goes by, or words to look for on every day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date | None = None
    zone: Annotated[str, AfterValidator(_known_zone)] = Field(default="UTC", max_length=60)
    text: SearchText | None = None

    def address(self, project: int, **changes: object) -> str:
        """The address of another day."""
        return address(f"/projects/{project}/journal", self.fields(**changes))

    def fields(self, **changes: object) -> dict[str, str]:
        """What it asks for beside what is usual."""
        return {name: one for name, one in fields_of(self, **changes).items() if (name, one) != ("zone", "UTC")}


@dataclass(frozen=True)
class Seen:
    """What the page shows; `found` in place of a day where words are looked for."""

    whole: Journal
    found: list[EventView] | None
    course: AcademyView


def see(project: int, wanted: Asked) -> Seen:
    """Read it.

    Raises:
        StageError: As `observe.journal.journal`.
    """
    found = events(wanted=EventFilter(project=project, text=wanted.text), limit=PAGE)[::-1] if wanted.text else None
    return Seen(whole_journal(project, day=wanted.day, zone=wanted.zone), found, academy(project))


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    wanted = asked.value
    length = await anyio.to_thread.run_sync(stream_length, found.id)
    seen = await anyio.to_thread.run_sync(see, found.id, wanted) if length <= AT_ONCE else None
    with here.frame("Lab Journal"):
        shown = _Journal(found.id, asked)
    if seen is not None:
        shown.draw(seen)
    else:
        shown.wait(length)


class _Journal:
    """The page's parts; what a long stream has to tell comes when it has been read."""

    def __init__(self, project: int, asked: Heard[Asked]) -> None:
        wanted = asked.value
        self._project, self._wanted = project, wanted
        with title_row("Lab Journal", "What was done, day by day, worked out from the event stream."):
            pass
        self._stands = box("div", "placed")
        filter_form(
            [FilterField("text", "Search every day", "search"), FilterField("day", "Day", "date"), FilterField("zone", "Zone")],
            wanted.fields(),
            partial(address, f"/projects/{project}/journal"),
            asked,
        )
        self._told = box("div", "placed")

    def draw(self, seen: Seen) -> None:
        """Show all of it."""
        self._stands.clear()
        with self._stands:
            _standing(seen)
        with self._told:
            if seen.found is not None:
                _found(self._project, seen.found)
            else:
                _day(self._project, self._wanted, seen.whole.day)
            _achievements(self._project, seen.whole.achievements)

    def wait(self, length: int) -> None:
        """Read it once the page stands."""
        with self._stands, box("section", "card", aria_label="Where you stand"):
            Text("p", f"{counted(length, 'event is', 'events are')} being read; it takes some seconds.", "empty", role="status")
        ui.timer(0, self._read, once=True)

    async def _read(self) -> None:
        done = await attempt(partial(see, self._project, self._wanted))
        if not isinstance(done, StageError):
            self.draw(done)
            return
        self._stands.clear()
        with self._stands, box("section", "card", aria_label="Problem"):
            problem(done)


def _standing(seen: Seen) -> None:
    one, course = seen.whole.standing, seen.course
    learned = f"{course.read:,} read, {counted(course.quizzes_passed, 'quiz', 'quizzes')} passed"
    with box("section", "card", aria_label="Where you stand"):
        stats(
            [
                ("Level", f"{one.level:,}", one.title),
                ("Experience", f"{one.experience:,}", f"the next level at {one.next_level:,}"),
                ("Streak", counted(one.streak, "day"), f"the longest {one.longest_streak:,}; {counted(one.days, 'day')} in all"),
                ("Achievements", f"{one.unlocked:,} of {one.achievements:,}", ""),
                ("Academy", f"{course.done:,} of {course.lessons:,}", learned),
            ]
        )  # fmt: skip
        if one.earned:
            said = ", ".join(f"{plain(why)} {points:,}" for why, points in one.earned.items())
            Text("p", f"Earned for: {said}.", "muted figure states")


def _day(project: int, wanted: Asked, day: Day) -> None:
    with box("section", "card", aria_labelledby="day"):
        with box("div", "card-head"):
            Text("h2", f"{day.day:%A, %d %B %Y}", id="day")
            Text("span", counted(day.experience, "point") if day.experience else "", "muted figure")
        if not day.entries:
            empty("Nothing happened on this day.", "See the newest day", wanted.address(project, day=None))
        with box("ol", "diary"):
            for entry in day.entries:
                _entry(project, entry)
        if day.left_out:
            Text("p", f"{day.left_out:,} more events of this day are not told.", "muted")
        with box("nav", "pages", aria_label="Days"):
            if day.before:
                link(f"{day.before}", wanted.address(project, day=day.before), aria_label=f"The day before: {day.before}")
            if day.after:
                link(f"{day.after}", wanted.address(project, day=day.after), aria_label=f"The day after: {day.after}")


def _entry(project: int, entry: Entry) -> None:
    with box("li", "run-event"):
        Text("time", entry.at, "muted figure", datetime=entry.ts)
        with box("div", "run-event-said"):
            if entry.severity != "info":
                Badge(SEVERITY_SIGNS[entry.severity])
            link(entry.said, f"/projects/{project}/events/{entry.event}")
            if entry.more:
                Text("span", f"{entry.more:,} of them", "muted figure")
            if entry.experience:
                Text("span", f"+{entry.experience:,}", "muted figure")
            for title in entry.unlocked:
                Badge(Sign("done", f"unlocked: {title}"))
            if entry.run_id:
                link(entry.run_id, f"/projects/{project}/events?run={entry.run_id}", "mono")


def _found(project: int, found: list[EventView]) -> None:
    with box("section", "card", aria_labelledby="found"):
        Text("h2", f"The newest {len(found):,} that fit", id="found")
        if not found:
            empty("No entry fits.", "See the newest day", f"/projects/{project}/journal")
        with box("ol", "diary"):
            for event in found:
                with box("li", "run-event"):
                    link(event.ts[:10], f"/projects/{project}/journal?day={event.ts[:10]}", "muted figure")
                    with box("div", "run-event-said"):
                        said = sentence(event.reason_code, event.severity, event.run_id, event.actor, event.payload)
                        link(said, f"/projects/{project}/events/{event.id}")


def _achievements(project: int, found: list[AchievementView]) -> None:
    with box("section", "card", aria_labelledby="achievements"):
        Text("h2", "Achievements", id="achievements")
        with box("ul", "achievements"):
            for one in found:
                with box("li", "achievement"):
                    Badge(Sign("done", one.title) if one.at else Sign("idle", one.title))
                    Text("p", one.what or "You will know it when you have it.", "muted")
                    if one.at and one.event is not None:
                        link(one.at[:10], f"/projects/{one.project or project}/events/{one.event}", "figure")
                    else:
                        Text("p", f"{one.done:,} of {one.times:,}" if one.what else "", "muted figure")
