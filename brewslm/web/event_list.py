"""Events as rows of a list."""

from collections.abc import Sequence
from datetime import datetime

from brewslm.observe.events import EventView
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.words import SEVERITY_SIGNS


def event_rows(project: int, found: Sequence[EventView]) -> None:
    """The list, in the order given; each leads to its own page."""
    with box("ol", "events"):
        for event in found:
            with box("li", "event"):
                _head(project, event)


def _head(project: int, event: EventView) -> None:
    with box("div", "event-head"):
        Badge(SEVERITY_SIGNS[event.severity])
        link(event.reason_code, f"/projects/{project}/events/{event.id}", "mono event-code")
        moment(datetime.fromisoformat(event.ts), "muted")
    with box("p", "event-what"):
        Text("span", event.meaning or "This version does not know this code.")
        for run in dict.fromkeys((event.run_id, event.parent_run_id)):
            if run is not None:
                link(run, f"/projects/{project}/events?run={run}", "mono")
