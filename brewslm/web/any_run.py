"""A run of any operation: its state, what was asked, what came of it, its parts, and the end of its log."""

from functools import partial
from typing import Any

import anyio

from brewslm.observe.tasks import log_of, task, tasks
from brewslm.pipeline.runs import RunView
from brewslm.web.parts import Badge, Text, box, link, moment, problem_document
from brewslm.web.pieces import Column, table
from brewslm.web.run_acts import RunActs
from brewslm.web.sample_rows import values_list
from brewslm.web.words import RUN_SIGNS, duration

LOG_CHARACTERS = 6000


class RunCard:
    """The run, drawn anew when it has changed."""

    def __init__(self, run: RunView) -> None:
        self._seen = (run, tasks(run.project, parent=run.task_id))
        with box("div", "title"):
            with box("div"):
                Text("h1", run.task_id)
                with box("p", "event-head"):
                    self._badge = Badge(RUN_SIGNS[run.state])
                    self._line = Text("span", "", "muted figure")
            self._acts = RunActs(run)
        self._acts.place_panel()
        self._body = box("div", "placed")
        self._draw()

    async def look(self) -> None:
        """Read again."""
        run_id = self._seen[0].task_id
        now = await anyio.to_thread.run_sync(lambda: (task(run_id), tasks(self._seen[0].project, parent=run_id)))
        if now != self._seen:
            self._seen = now
            self._draw()

    def _draw(self) -> None:
        run, parts = self._seen
        self._badge.show(RUN_SIGNS[run.state])
        self._line.text = _line(run)
        self._acts.show(run)
        self._body.clear()
        with self._body:
            if run.problem and run.state != "succeeded":
                with box("section", "card", aria_label="Why it ended"):
                    problem_document(run.problem)
            if parts:
                with box("section", "card", aria_labelledby="parts"):
                    Text("h2", "Its parts", id="parts")
                    _parts(run.project or 0, parts[::-1])
            with box("section", "card", aria_labelledby="asked"):
                Text("h2", "What was asked", id="asked")
                with box("p", "event-head muted"):
                    Text("span", f"{run.operation} by {run.actor},")
                    moment(run.created_at)
                    if run.parent_run_id:
                        Text("span", "as part of")
                        link(run.parent_run_id, f"/projects/{run.project}/runs/{run.parent_run_id}", "mono")
                    link("its events", f"/projects/{run.project}/events?run={run.task_id}")
                values_list(_given(run.request))
            if run.result:
                with box("section", "card", aria_labelledby="result"):
                    Text("h2", "What came of it", id="result")
                    values_list(_given(run.result))


def _line(run: RunView) -> str:
    done = run.progress or {}
    if done.get("total"):
        return f"{done['done']:,} of {done['total']:,} {done['unit']}"
    if run.started_at and run.ended_at:
        return f"{run.operation} · {duration((run.ended_at - run.started_at).total_seconds())}"
    return run.operation


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """What is said, nested values by their path."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": one for inner, one in _given(value).items()}
        elif value not in (None, [], ""):
            flat[name] = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
    return flat


def _parts(project: int, parts: list[RunView]) -> None:
    def state(one: RunView) -> None:
        Badge(RUN_SIGNS[one.state])

    columns = (
        Column[RunView]("Run", partial(_name, project), "mono"),
        Column[RunView]("Operation", lambda one: one.operation),
        Column[RunView]("State", state),
        Column[RunView]("", lambda one: _line(one).removeprefix(one.operation).strip(" ·")),
    )
    table("Parts", columns, parts)


def _name(project: int, one: RunView) -> None:
    link(one.task_id, f"/projects/{project}/runs/{one.task_id}")


def log_card(run_id: str) -> None:
    """The end of what its process printed, folded."""
    said = log_of(run_id)
    if not said:
        return
    with box("section", "card", aria_labelledby="log"), box("details"):
        with box("summary"):
            Text("h2", "Log", "inline", id="log")
        Text("pre", said[-LOG_CHARACTERS:].replace("\r", "\n"), "log mono", tabindex="0", role="region", aria_label="Log")
