"""/ui/projects/{id}/events/{event}: one event in full."""

from datetime import datetime
from functools import partial
from typing import Any

import anyio

from brewslm.errors import StageError
from brewslm.observe.diary_words import sentence
from brewslm.observe.events import EventDetail, event
from brewslm.reasons.refusals import UnknownEvent
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, link, moment, problem_document
from brewslm.web.ways import lead_lines, run_way
from brewslm.web.words import SEVERITY_SIGNS


async def page(project: str, event_id: str) -> None:
    """The page."""
    here = await opened(project)
    shown = await anyio.to_thread.run_sync(partial(_of_project, here.project.id, event_id))
    said = sentence(shown.reason_code, shown.severity, shown.run_id, shown.actor, shown.payload, shown.actor)
    with observability(here, "Timeline", shown.reason_code, said, f"Event {shown.id:,}"), box("div", "columns"):
        with box("div", "column-of-cards"):
            _what(shown)
            _payload(shown)
        with box("div", "column-of-cards"):
            _next(shown)
            _place(shown)


def _of_project(project: int, asked: str) -> EventDetail:
    """The event, if it is one of this project's.

    Raises:
        StageError(UnknownEvent): It is not.
    """
    found = event(int(asked)) if asked.isdecimal() and len(asked) < 19 else None
    if found is None or found.project != project:
        raise StageError(UnknownEvent(), where=f"event {asked} of project {project}", next_step="Choose one from the timeline.")
    return found


def _what(shown: EventDetail) -> None:
    with box("section", "card", aria_labelledby="what"):
        Text("h2", "What happened", id="what")
        with box("p", "event-head"):
            Badge(SEVERITY_SIGNS[shown.severity])
            Text("span", shown.meaning or "This version does not know this code.")
        with box("dl", "values"):
            for name, value in (("stage", shown.stage), ("by", shown.actor)):
                Text("dt", name)
                Text("dd", value, "mono")
            Text("dt", "at")
            with box("dd", "figure"):
                Text("span", f"{shown.ts} ")
                moment(datetime.fromisoformat(shown.ts), "muted")
            if shown.written_at:
                Text("dt", "written late, at")
                Text("dd", shown.written_at, "figure")
            for name, run in (("run", shown.run_id), ("under", shown.parent_run_id)):
                if run:
                    Text("dt", name)
                    with box("dd"):
                        link(run, run_way(shown.project, run), "mono")
                        Text("span", "  ")
                        link("its timeline", f"/projects/{shown.project}/events?run={run}")


def _payload(shown: EventDetail) -> None:
    with box("section", "card", aria_labelledby="payload"):
        Text("h2", "Payload", id="payload")
        Text("p", "Ids, counts and hashes; no row's text.", "muted")
        with box("dl", "values"):
            for name, value in flat(shown.payload):
                Text("dt", name)
                Text("dd", value, "mono")


def _next(shown: EventDetail) -> None:
    with box("section", "card", aria_labelledby="next"):
        Text("h2", "What to do", id="next")
        if shown.problem:
            problem_document(shown.problem)
        if shown.remedy:
            Text("p", shown.remedy)
        if shown.causes:
            Text("h3", "It likely comes from")
            with box("ol", "causes"):
                for cause in shown.causes:
                    Text("li", cause)
        if not (shown.problem or shown.remedy or shown.causes):
            Text("p", "Nothing: this is what should happen.", "empty")
        if shown.leads:
            Text("h3", "Where to look")
            lead_lines(shown.leads, shown.project)


def _place(shown: EventDetail) -> None:
    base = f"/projects/{shown.project}/events"
    with box("section", "card", aria_labelledby="place"):
        Text("h2", "Place in the chain", id="place")
        with box("dl", "values"):
            for name, value in (
                ("sequence", f"{shown.sequence:,}"),
                ("hash", shown.hash),
                ("previous hash", shown.previous_hash),
            ):
                Text("dt", name)
                Text("dd", value, "mono")
        with box("nav", "pages", aria_label="Neighbours in the chain"):
            if shown.before is not None:
                link("The event before", f"{base}/{shown.before}")
            if shown.after is not None:
                link("The event after", f"{base}/{shown.after}")


def flat(payload: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A payload as lines: nested fields by their path, numbers with their thousands apart."""
    lines: list[tuple[str, str]] = []
    for name, value in payload.items():
        if isinstance(value, dict) and value:
            lines += flat(value, f"{prefix}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool):
            lines.append((prefix + name, f"{value:,}"))
        else:
            lines.append((prefix + name, "–" if value in (None, {}, []) else str(value)))
    return lines
