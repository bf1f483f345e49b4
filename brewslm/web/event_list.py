"""Events as rows of a list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from brewslm.observe.events import EventView
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.words import SEVERITY_SIGNS


def event_rows(project: int, found: Sequence[EventView], details: bool = True) -> None:
    """The list, in the order given; `details` adds payload, remedy and place in the chain, folded."""
    with box("ol", "events"):
        for event in found:
            with box("li", "event"):
                _head(project, event)
                if details:
                    _details(event)


def _head(project: int, event: EventView) -> None:
    with box("div", "event-head"):
        Badge(SEVERITY_SIGNS[event.severity])
        Text("span", event.reason_code, "mono event-code")
        moment(datetime.fromisoformat(event.ts), "muted")
    with box("p", "event-what"):
        Text("span", event.meaning or "This version does not know this code.")
        for run in dict.fromkeys((event.run_id, event.parent_run_id)):
            if run is not None:
                link(run, f"/projects/{project}/events?run={run}", "mono")


def _details(event: EventView) -> None:
    with box("details", "event-details"):
        Text("summary", f"{event.stage} · #{event.sequence:,} · by {event.actor}")
        with box("dl"):
            for name, value in [*_flat(event.payload), ("hash", event.hash)]:
                Text("dt", name)
                Text("dd", value, "mono")
        if event.remedy:
            Text("p", f"Next: {event.remedy}")


def _flat(payload: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A payload as lines: nested fields by their path, numbers with their thousands apart."""
    lines: list[tuple[str, str]] = []
    for name, value in payload.items():
        if isinstance(value, dict) and value:
            lines += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool):
            lines.append((prefix + name, f"{value:,}"))
        else:
            lines.append((prefix + name, "–" if value in (None, {}, []) else str(value)))
    return lines
