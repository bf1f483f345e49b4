"""The last two steps of an import: what a commit would do, and the button that does exactly that."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode
from uuid import uuid4

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.pipeline import execute
from brewslm.pipeline.mapping_choice import row_reasons
from brewslm.pipeline.runs import RunView
from brewslm.stages.mapping import CommitRequest, MapRequest, Preview
from brewslm.web.doing import attempt, follow
from brewslm.web.mapping_result import counts_of, ended_well
from brewslm.web.parts import Text, box, button, problem, problem_document
from brewslm.web.projects import ACTOR
from brewslm.web.rejections import Rejections
from brewslm.web.sample_rows import sample_rows
from brewslm.web.steps import step_head

REJECTED_KEPT = 100
"""Rejected rows of each reason that a dry run keeps to be looked at."""


class ImportOutcome:
    """Preview and commit.

    Args:
        on_step: Gets the number of the step that is to be done now.
    """

    def __init__(self, mapping: MapRequest, preview: Preview, on_step: Callable[[int], None]) -> None:
        self._mapping, self._preview, self._on_step = mapping, preview, on_step
        self._key = f"page-{uuid4()}"
        with box("div", "import-step"):
            step_head(4, "Preview")
            counts_of(preview.model_dump(mode="json"))
            if preview.rejection_counts:
                self._rejections = Rejections(preview.rejection_counts, preview.rejected_sample, self._drop)
            self._samples = box("div")
            self._draw_samples(committed=False)
        with box("div", "import-step"):
            step_head(5, "Commit")
            self._action = box("div", "actions")
        with self._action:
            if not preview.accepted_count:
                Text("p", "There is nothing to commit: choose other columns, or mend the source.", "empty")
                return
            button(f"Commit {counted(preview.accepted_count, 'row')}", self._commit, "primary")
            Text("p", "The accepted rows are added to the project; an import can be undone.", "muted")
        on_step(5)

    def _draw_samples(self, committed: bool) -> None:
        rows = self._preview.accepted_sample
        self._samples.clear()
        if rows:
            with self._samples, box("details", "event-details"):
                Text("summary", f"See the first {len(rows):,} accepted rows" if len(rows) > 1 else "See an accepted row")
                sample_rows(rows, committed)

    def _drop(self, reasons: list[str]) -> None:
        """What is asked is another thing now: a new key."""
        dropped = row_reasons(reasons)
        self._mapping, self._key = self._mapping.model_copy(update={"drop_reasons": dropped}), f"page-{uuid4()}"

    async def _commit(self) -> None:
        request = CommitRequest(**self._mapping.model_dump())
        queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=self._key))
        self._action.clear()
        with self._action:
            if isinstance(queued, StageError):
                problem(queued)
            else:
                follow(queued, self._ended)

    async def _ended(self, run: RunView) -> None:
        self._action.clear()
        with self._action:
            if run.state != "succeeded":
                problem_document(run.problem or {})
                button("Try again", self._again)
                return
            ended_well(run)
        self._on_step(6)
        self._draw_samples(committed=True)
        if self._preview.rejection_counts:
            self._rejections.committed(partial(_address, run))

    async def _again(self) -> None:
        self._key = f"page-{uuid4()}"
        await self._commit()


def _address(run: RunView, reason: str) -> str:
    query = urlencode({"status": "rejected", "import": run.task_id, "reason": reason})
    return f"/projects/{run.project}/rows?{query}"
