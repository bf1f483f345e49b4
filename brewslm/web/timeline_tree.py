"""Runs as a tree: each with its state, how long it took, its events, and what ran as its part, drawn on one line of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from brewslm.observe.diary_words import sentence
from brewslm.observe.events import EventView
from brewslm.observe.tasks import task
from brewslm.observe.timeline import RunNode
from brewslm.pipeline.runs import ENDED
from brewslm.web.observability import seconds_between
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import reason_chip
from brewslm.web.words import RUN_SIGNS, SEVERITY_SIGNS, duration

PARTS_SHOWN, PARTS_OF_ONE = 12, 200
"""Parts under a run that are drawn among many trees, and where one tree is looked at."""


@dataclass(frozen=True)
class Span:
    """The time from the beginning of a tree's first run to the end of its last; whether these are several."""

    begins: datetime
    ends: datetime
    is_of_many: bool = False

    def place(self, begins: datetime, ends: datetime) -> tuple[float, float]:
        """Where a run lies in it: (left, width), as shares."""
        whole = (self.ends - self.begins).total_seconds()
        if whole <= 0:
            return 0.0, 1.0
        left = max(0.0, (begins - self.begins).total_seconds() / whole)
        return min(left, 1.0), max(0.0, min(1 - left, (ends - begins).total_seconds() / whole))


class Trees:
    """The trees of a page; `look` brings those runs up to date that had not ended."""

    def __init__(self, project: int, trees: Sequence[RunNode], *, alone: bool = False) -> None:
        self._project, self._parts = project, PARTS_OF_ONE if alone else PARTS_SHOWN
        self._running: dict[str, _Took] = {}
        with box("ol", "trees"):
            for tree in trees:
                with box("li", "tree"):
                    self._node(tree, span_of(tree))

    async def look(self) -> None:
        """Nothing moves: a state and a duration change where they stand."""
        for run_id, took in list(self._running.items()):
            now = await anyio.to_thread.run_sync(task, run_id)
            took.show(now.state, now.started_at or now.created_at, now.ended_at)
            if now.state in ENDED:
                del self._running[run_id]

    def _node(self, node: RunNode, span: Span) -> None:
        if node.run is not None:
            self._head(node, node.run, span)
        if node.events:
            with box("ol", "run-events"):
                left_out = node.fitting - len(node.events)
                if left_out > 0 and node.run is not None:
                    with box("li"):
                        link(f"{left_out:,} before these", f"/projects/{self._project}/explorer?of=events&run={node.run}")
                for event in node.events:
                    event_line(self._project, event)
        if node.parts:
            with box("ol", "run-parts"):
                for part in node.parts[-self._parts :]:
                    with box("li"):
                        self._node(part, span)
                more = len(node.parts) - self._parts
                if more > 0:
                    with box("li"):
                        link(f"{more:,} more runs under {node.run}", f"/projects/{self._project}/events?run={node.run}")

    def _head(self, node: RunNode, run_id: str, span: Span) -> None:
        with box("div", "run-head"):
            with box("div", "run-name"):
                took = _Took(node, span)
                link(run_id, f"/projects/{self._project}/events?run={run_id}", "mono")
                Text("span", node.operation or "", "muted")
                for severity in ("warning", "error", "critical"):
                    count = node.severities.get(severity, 0)
                    if count:
                        sign = SEVERITY_SIGNS[severity]
                        Badge(sign._replace(word=f"{count:,} {sign.word}{'s' if count > 1 and severity != 'critical' else ''}"))
            took.draw()
            moment(begin_of(node), "muted")
        if node.state is not None and node.state not in ENDED:
            self._running[run_id] = took


class _Took:
    """A run's state and duration; the badge is drawn where it is made, the bar where `draw` is called."""

    def __init__(self, node: RunNode, span: Span) -> None:
        self._node, self._span = node, span
        self._badge = Badge(RUN_SIGNS[node.state]) if node.state in RUN_SIGNS else None

    def draw(self) -> None:
        """The bar, where there are others to hold it against, and how long it is."""
        begins, ends = begin_of(self._node), end_of(self._node)
        left, width = self._span.place(begins, ends)
        sign = RUN_SIGNS.get(self._node.state or "")
        with box("div", "run-bar" if self._span.is_of_many else "", aria_hidden="true"):
            self._bar = box("span", f"is-{sign.token}" if sign else "is-idle").style(f"left: {left:.2%}; width: {width:.2%}")
        self._said = Text("span", duration(seconds_between(begins, ends)), "figure run-took")

    def show(self, state: str, begins: datetime, ends: datetime | None) -> None:
        """At this moment."""
        sign = RUN_SIGNS[state]
        if self._badge is not None:
            self._badge.show(sign)
        self._bar.classes(replace=f"is-{sign.token}")
        self._said.text = duration(seconds_between(begins, ends))


def begin_of(node: RunNode) -> datetime:
    """When a run began; of one that is in no table any more, its first event that is shown."""
    known = node.started_at or node.created_at
    return known or min(_moments(node), default=datetime.now(UTC))


def end_of(node: RunNode) -> datetime:
    """When it ended; now, while it has not."""
    if node.ended_at is not None:
        return node.ended_at
    return datetime.now(UTC) if node.created_at is not None else max(_moments(node), default=begin_of(node))


def _moments(node: RunNode) -> list[datetime]:
    own = [datetime.fromisoformat(event.ts) for event in node.events]
    return own + [moment for part in node.parts for moment in _moments(part)]


def span_of(tree: RunNode) -> Span:
    """From the beginning of the first of its runs to the end of the last."""
    every = list(_nodes(tree))
    return Span(min(map(begin_of, every)), max(map(end_of, every)), len(every) > 1)


def _nodes(tree: RunNode) -> list[RunNode]:
    return [tree, *(node for part in tree.parts for node in _nodes(part))]


def event_line(project: int, event: EventView) -> None:
    """An event in one line: its time, what it says, and its own page; a failure opens to its meaning and remedy."""
    with box("li", "run-event"):
        moment(datetime.fromisoformat(event.ts), "muted")
        with box("div", "run-event-said"):
            if event.severity != "info":
                Badge(SEVERITY_SIGNS[event.severity])
            said = sentence(event.reason_code, event.severity, None, event.actor, event.payload, event.actor)
            link(said, f"/projects/{project}/events/{event.id}")
            if event.severity == "info":
                Text("span", event.reason_code, "mono muted")
            else:
                reason_chip(event.reason_code)
