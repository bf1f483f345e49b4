"""The steps of a training run, a page at a time, and the rows that one of them learned from."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from brewslm.observe.figures import counted
from brewslm.observe.trace import StepsPage, StepView, trace_step, trace_steps
from brewslm.web.parts import Text, box, link
from brewslm.web.pieces import Column, pager, table
from brewslm.web.words import memory_size


@dataclass(frozen=True)
class Asked:
    """What the address of a run's page asks for.

    Attributes:
        against: The run that its settings are held against.
        step: The one whose rows are shown; before: steps with a smaller number are listed.
    """

    project: int
    run_id: str
    against: str | None = None
    step: int | None = None
    before: int | None = None

    def address(self, **changes: Any) -> str:
        """Of the same page with changes."""
        kept = {"against": self.against, "step": self.step, "before": self.before} | changes
        query = urlencode({name: str(value) for name, value in kept.items() if value is not None})
        return f"/projects/{self.project}/runs/{self.run_id}" + (f"?{query}" if query else "")


Seen = tuple[StepsPage, StepView | None]


def seen_steps(asked: Asked) -> Seen:
    """The page of steps, and the chosen one."""
    chosen = trace_step(asked.run_id, asked.step) if asked.step is not None else None
    return trace_steps(asked.run_id, asked.before), chosen


def steps_card(asked: Asked, seen: Seen) -> None:
    """The table, which is the charts' figures in words too."""
    page, chosen = seen
    if not page.total:
        return
    with box("section", "card", aria_labelledby="steps"):
        Text("h2", "Steps", id="steps")
        if asked.step is not None:
            _rows(asked, chosen)
        columns = (
            Column[StepView]("Step", partial(_step, asked), "mono"),
            Column[StepView]("Loss", partial(_figure, "loss", "{:.4f}"), "figure"),
            Column[StepView]("Gradient norm", partial(_figure, "grad_norm", "{:.3f}"), "figure"),
            Column[StepView]("Learning rate", partial(_figure, "learning_rate", "{:.3g}"), "figure"),
            Column[StepView]("Tokens a second", partial(_figure, "tokens_per_second", "{:,.0f}"), "figure"),
            Column[StepView]("Memory", _memory),
            Column[StepView]("Rows", partial(_count, asked), "figure"),
        )  # fmt: skip
        table("Steps, newest first", columns, page.steps, marked=lambda one: one.step == asked.step)
        links = [("Newest", asked.address(before=None))] if page.newer else []
        links += [("Older", asked.address(before=page.older))] if page.older else []
        pager(f"{page.steps[0].step:,} to {page.steps[-1].step:,} of {page.total:,}" if page.steps else "", links)


def _rows(asked: Asked, chosen: StepView | None) -> None:
    with box("div", "chosen", id="rows"):
        with box("div", "card-head"):
            Text("h3", f"Rows of step {asked.step:,}")
            link("Close", asked.address(step=None))
        if chosen is None:
            Text("p", "The trace has no such step (any more): a run that is resumed goes back to its checkpoint.", "empty")
            return
        with box("ul", "row-ids"):
            for row in chosen.row_ids:
                with box("li"):
                    link(row, f"/rows/{row}", "mono")


def _step(asked: Asked, one: StepView) -> None:
    link(f"{one.step:,}", asked.address(step=one.step), aria_label=f"Step {one.step}: show its rows")


def _memory(one: StepView) -> str:
    return memory_size(one.figures["memory_bytes"]) if "memory_bytes" in one.figures else "–"


def _figure(name: str, form: str, one: StepView) -> str:
    return form.format(one.figures[name]) if name in one.figures else "–"


def _count(asked: Asked, one: StepView) -> None:
    rows = counted(len(one.row_ids), "row")
    link(rows, asked.address(step=one.step), aria_label=f"{rows} of step {one.step}")
