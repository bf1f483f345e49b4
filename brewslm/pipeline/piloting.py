"""How one operation runs others: each part is a run of its own under it, and what stops a part stops the whole.

A part has an idempotency key that begins with the id of the run that it is part of: one that is begun again after a kill finds
the parts that succeeded, and goes on with the one that was cut off.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from brewslm.errors import StageError
from brewslm.pipeline.runs import RunView
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.training import TrainingDispatchError
from brewslm.stages.contract import Request

Stopped = Callable[[str, str, str], Reason]
"""Makes the reason of an end: at which operation, the code of the problem, and what is said of it."""


class Pilot:
    """Runs the parts of a run, one after another.

    Args:
        name: What the whole is called, such as "Autopilot".
        stopped: Makes the reason that it ends with.
    """

    def __init__(self, run_id: str, context: Context, name: str, stopped: Stopped) -> None:
        from brewslm.pipeline import execute  # it imports the lifecycle's table, where whoever composes stands

        self._execute, self._run_id, self._context, self._name, self._stopped = execute, run_id, context, name, stopped
        self.actor = execute.look(run_id).actor
        self.done = 0

    def run(self, request: Request, key: str = "") -> RunView:
        """One part to its end.

        Args:
            key: What tells it from other parts of the same operation.

        Raises:
            StageError: It was refused, or failed: with the reason of the whole, and the part's own words.
            Cancelled: A person asked to stop.
        """
        from brewslm.pipeline.lifecycle import operation_for

        operation = operation_for(request).name
        self.check(operation)
        try:
            view = self._execute.call(
                self.actor, request, idempotency_key=":".join(filter(None, (self._run_id, operation, key))),
                parent=self._run_id, on_progress=self.on_progress,
            )  # fmt: skip
        except self._execute.RunFailed as failed:
            self._context.check()  # cancelled from above: then it is we who were cancelled, not the part that failed
            self.stop(operation, failed.error, failed.view)
        except StageError as refused:
            self.stop(operation, refused)
        self.done += 1
        return view

    def check(self, operation: str) -> None:
        """Tell that a part begins.

        Raises:
            Cancelled: A person asked to stop.
        """
        self._context.check()
        self.on_progress(0, None, operation, {})

    def blocked(self, checked: RunView) -> NoReturn:
        """Preflight found what training can't do with."""
        findings = (checked.result or {})["findings"]
        blockers = [finding for finding in findings if finding["severity"] == "blocker"]
        first, codes = blockers[0], [finding["code"] for finding in blockers]
        self._context.tell(TrainingDispatchError(experiment_id=self._run_id, error="preflight", blockers=codes))
        cause = f"{first['code']}: {first['measured']}; the limit is {first['limit']}"
        reason = self._stopped("preflight.run", first["code"], f"{checked.task_id} found blockers")
        raise StageError(reason, f"{self._name} stopped before training", cause=cause, next_step=first["next_step"])

    def stop(self, operation: str, error: StageError, view: RunView | None = None) -> NoReturn:
        """End the whole with what ended a part."""
        said = f"{view.task_id} {view.state}" if view else "refused"
        cause = "; ".join(part for part in (error.what, error.where, error.cause) if part)
        reason = self._stopped(operation, error.reason.code, said)
        where = view.task_id if view else ""
        stopped = StageError(reason, f"{self._name} stopped at {operation}", where=where, cause=cause, next_step=error.next_step)
        raise stopped from error

    def on_progress(self, done: int, total: int | None, unit: str, figures: dict[str, float]) -> None:
        """Show a part's progress as that of the whole."""
        shown: dict[str, Any] = {**figures, "stage": self.done + 1}
        self._context.progress(done, total, unit, **shown)

    def leave_others(self) -> None:
        """Parts that an earlier attempt began, and that are no part of this one any more, are no longer waited for."""
        from sqlalchemy import select

        from brewslm.store.database import reading
        from brewslm.store.tables import Run

        with reading() as session:
            found = session.scalars(select(Run.id).where(Run.parent_run_id == self._run_id, Run.state == "running")).all()
        for run_id in found:
            if self._execute.look(run_id).state == "interrupted":
                self._execute.cancel(self.actor, run_id)
