"""autopilot.run: prepare, preflight, train, evaluate and export, each a run of its own under the autopilot's.

Each part has the idempotency key `<autopilot's id>:<operation>`: an autopilot that is begun again after a kill finds the parts
that succeeded, and goes on with the one that was cut off.
"""

from typing import Any, Literal, NoReturn

from pydantic import Field

from brewslm.errors import StageError
from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.pipeline.operation import Failure
from brewslm.pipeline.runs import RunView
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.system import AutopilotStopped
from brewslm.reasons.training import TrainingDispatchError
from brewslm.stages.contract import ProjectRequest, Request, Result
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import TrainRequest

PARTS = ("prepare.run", "preflight.run", "train.run", "evaluate.run", "export.run")


class AutopilotRequest(ProjectRequest):
    """From the project's rows to an exported model; what is not named here is as each stage recommends.

    Attributes:
        one_click: It runs to its end without asking; there is no other way yet, so false is refused.
        train_rows, eval_rows, task_profile: As in prepare; the rest as in train.
    """

    one_click: Literal[True] = True
    task_profile: str | None = None
    train_rows: int | None = Field(default=None, ge=1)
    eval_rows: int | None = Field(default=None, ge=1)
    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    eval_pack: str = DEFAULT_PACK
    timeout_minutes: float | None = Field(default=None, gt=0)
    fail_open: bool = False


class AutopilotResult(Result):
    """What came of it.

    Attributes:
        runs: Operation → the id of its run.
        figures: The eval pack's primary metric of each system, by its name.
    """

    runs: dict[str, str]
    manifest_version: int
    experiment: str
    metric: str
    figures: dict[str, float]
    promotable: bool
    export: str


def compose(request: AutopilotRequest, run_id: str, context: Context) -> AutopilotResult:
    """Run the parts, one after another.

    Raises:
        StageError(AutopilotStopped): A part failed; it is named.
        Cancelled: A person asked to stop.
    """
    pilot = _Pilot(run_id, context)
    given = request.model_dump()
    prepared = pilot.run(PrepareRequest(**_shared(given, PrepareRequest)))
    checked = pilot.run(PreflightRequest(**_shared(given, PreflightRequest), manifest_version=prepared["version"]))
    if not checked["passed"] and not request.fail_open:
        pilot.blocked(checked)
    pilot.run(TrainRequest(**_shared(given, TrainRequest), manifest_version=prepared["version"]))
    experiment = pilot.runs["train.run"]
    evaluated = pilot.run(EvaluateRequest(experiment=experiment, eval_pack=request.eval_pack))
    pilot.run(ExportRequest(experiment=experiment))
    card = evaluated["scorecard"]
    return AutopilotResult(
        runs=pilot.runs, manifest_version=prepared["version"], experiment=experiment, metric=card["primary_metric"],
        figures={name: system["metrics"][card["primary_metric"]]["value"] for name, system in card["systems"].items()},
        promotable=evaluated["promotable"], export=pilot.runs["export.run"],
    )  # fmt: skip


def failure(failed: Failure) -> Reason:
    """The reason of an autopilot that was cancelled or crashed: where it was."""
    return AutopilotStopped(at=PARTS[int(failed.figures.get("stage", 1)) - 1], problem=failed.problem, error=failed.error)


def _shared(given: dict[str, Any], request: type[Request]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in request.model_fields}


class _Pilot:
    """Runs the parts, and remembers their ids."""

    def __init__(self, run_id: str, context: Context) -> None:
        from brewslm.pipeline import execute  # it imports the lifecycle's table, where this module stands

        self._execute, self._run_id, self._context = execute, run_id, context
        self._actor = execute.look(run_id).actor
        self.runs: dict[str, str] = {}

    def run(self, request: Request) -> dict[str, Any]:
        """One part to its end; returns its result."""
        operation = PARTS[len(self.runs)]
        self._context.check()
        self._on_progress(0, None, operation, {})
        try:
            view = self._execute.call(
                self._actor, request, idempotency_key=f"{self._run_id}:{operation}", parent=self._run_id,
                on_progress=self._on_progress,
            )  # fmt: skip
        except self._execute.RunFailed as failed:
            self._context.check()  # cancelled from above: then it is we who were cancelled, not the part that failed
            self._stop(operation, failed.view, failed.error)
        except StageError as refused:
            self._stop(operation, None, refused)
        self.runs[operation] = view.task_id
        return view.result or {}

    def blocked(self, checked: dict[str, Any]) -> NoReturn:
        """Preflight found what training can't do with."""
        blockers = [finding for finding in checked["findings"] if finding["severity"] == "blocker"]
        first = blockers[0]
        codes = [finding["code"] for finding in blockers]
        self._context.tell(TrainingDispatchError(experiment_id=self._run_id, error="preflight", blockers=codes))
        cause = f"{first['code']}: {first['measured']}; the limit is {first['limit']}"
        reason = AutopilotStopped(at="preflight.run", problem=first["code"], error=f"{self.runs['preflight.run']} found blockers")
        raise StageError(reason, "Autopilot stopped before training", cause=cause, next_step=first["next_step"])

    def _stop(self, operation: str, view: RunView | None, error: StageError) -> NoReturn:
        said = f"{view.task_id} {view.state}" if view else "refused"
        cause = "; ".join(part for part in (error.what, error.where, error.cause) if part)
        reason = AutopilotStopped(at=operation, problem=error.reason.code, error=said)
        stopped = StageError(
            reason,
            f"Autopilot stopped at {operation}",
            where=view.task_id if view else "",
            cause=cause,
            next_step=error.next_step,
        )
        raise stopped from error

    def _on_progress(self, done: int, total: int | None, unit: str, figures: dict[str, float]) -> None:
        self._context.progress(done, total, unit, **{**figures, "stage": len(self.runs) + 1})
