"""Review of a gold set's draft, row by row, by keyboard or by the buttons that say the same keys."""

from functools import partial
from typing import Any
from uuid import uuid4

import anyio
from nicegui import ui
from nicegui.events import KeyEventArguments

from brewslm.errors import StageError
from brewslm.observe.gold import GoldRowView, gold_rows
from brewslm.pipeline import execute
from brewslm.stages.prepare.gold import GoldReviewRequest
from brewslm.web.doing import attempt
from brewslm.web.parts import Text, box, button, link, problem
from brewslm.web.projects import ACTOR
from brewslm.web.sample_rows import values_list

AT_ONCE = 50
MOST_LABELS = 9


class Review:
    """One row at a time; what others said of it is not shown.

    Args:
        waiting: The first rows that this reviewer has not seen.
        labels: Those that the set's rows have: the keys 1 to 9.
    """

    def __init__(self, project: int, name: str, reviewer: str, waiting: list[GoldRowView], labels: list[str]) -> None:
        self._project, self._name, self._reviewer = project, name, reviewer
        self._waiting, self._labels, self._at, self._busy = waiting, labels[:MOST_LABELS], 0, False
        with box("section", "card", aria_labelledby="review"):
            Text("h2", f"Review of {name} by {reviewer}", id="review")
            self._row = box("div", "review-row", role="status")
            with box("div", "actions"):
                self._button("Accept", "a", partial(self._judge, "accepted"), "primary")
                for number, label in enumerate(self._labels, 1):
                    self._button(label, str(number), partial(self._label, label))
                self._button("Reject", "r", partial(self._judge, "rejected"))
                self._button("Skip", "s", partial(self._move, 1))
                self._button("Next", "j", partial(self._move, 1))
                self._button("Previous", "k", partial(self._move, -1))
            self._said = box("div")
        ui.keyboard(self._key, ignore=["input", "select", "textarea"], repeating=False)
        self._draw()

    def _button(self, said: str, key: str, do: Any, classes: str = "") -> None:
        made = button(said, do, classes, aria_keyshortcuts=key)
        with made:
            Text("kbd", key)

    async def _key(self, event: KeyEventArguments) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.meta or event.modifiers.alt:
            return
        key = str(event.key)
        if key in ("j", "s", "k"):
            self._move(-1 if key == "k" else 1)
        elif key in ("a", "r"):
            await self._judge("accepted" if key == "a" else "rejected")
        elif key.isdecimal() and 1 <= int(key) <= len(self._labels):
            await self._label(self._labels[int(key) - 1])

    def _move(self, by: int) -> None:
        if self._waiting:
            self._at = (self._at + by) % len(self._waiting)
            self._draw()

    async def _label(self, label: str) -> None:
        """The row's own label accepts it; another one corrects it."""
        if self._waiting:
            same = self._waiting[self._at].payload.get("label") == label
            await self._judge("accepted" if same else "corrected", None if same else {"label": label})

    async def _judge(self, verdict: str, fields: dict[str, str] | None = None) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        row = self._waiting[self._at]
        judged = {"row_id": row.row_id, "verdict": verdict, "fields": fields}
        request = GoldReviewRequest(
            project=self._project,
            name=self._name,
            reviewer=self._reviewer,
            reviews=[judged],
        )
        done = await attempt(partial(execute.call, ACTOR, request, idempotency_key=f"page-{uuid4()}"))
        self._said.clear()
        if isinstance(done, StageError):
            with self._said:
                problem(done)
        else:
            del self._waiting[self._at]
            if not self._waiting:
                read = partial(gold_rows, self._project, self._name, reviewer=self._reviewer, limit=AT_ONCE)
                self._waiting = await anyio.to_thread.run_sync(read)
            self._at = min(self._at, max(0, len(self._waiting) - 1))
            self._draw()
        self._busy = False

    def _draw(self) -> None:
        self._row.clear()
        with self._row:
            if not self._waiting:
                Text("p", f"No row waits for {self._reviewer}.", "empty")
                return
            row = self._waiting[self._at]
            with box("p", "event-head"):
                more = "+" if len(self._waiting) >= AT_ONCE else ""
                Text("span", f"{self._at + 1:,} of {len(self._waiting):,}{more} that wait", "muted figure")
                link(row.row_id, f"/rows/{row.row_id}", "mono")
                Text("span", row.origin, "muted")
            values_list(row.payload)
