"""autopilot.run: prepare, preflight, train, evaluate and export, each a run of its own under the autopilot's.

Each part has the idempotency key `<autopilot's id>:<operation>`: an autopilot that is begun again after a kill finds the parts
that succeeded, and goes on with the one that was cut off.
"""

from typing import Any, Literal

from pydantic import Field

from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.pipeline.operation import Failure
from brewslm.pipeline.piloting import Pilot
from brewslm.pipeline.runs import RunView
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.system import AutopilotStopped
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
    pilot = Pilot(run_id, context, "Autopilot", lambda at, code, said: AutopilotStopped(at=at, problem=code, error=said))
    given = request.model_dump()
    runs: dict[str, str] = {}

    def part(asked: Request) -> RunView:
        view = pilot.run(asked)
        runs[view.operation] = view.task_id
        return view

    version = (part(PrepareRequest(**_shared(given, PrepareRequest))).result or {})["version"]
    checked = part(PreflightRequest(**_shared(given, PreflightRequest), manifest_version=version))
    if not (checked.result or {})["passed"] and not request.fail_open:
        pilot.blocked(checked)
    experiment = part(TrainRequest(**_shared(given, TrainRequest), manifest_version=version)).task_id
    evaluated = part(EvaluateRequest(experiment=experiment, eval_pack=request.eval_pack)).result or {}
    exported = part(ExportRequest(experiment=experiment))
    card = evaluated["scorecard"]
    return AutopilotResult(
        runs=runs, manifest_version=version, experiment=experiment, metric=card["primary_metric"],
        figures={name: system["metrics"][card["primary_metric"]]["value"] for name, system in card["systems"].items()},
        promotable=evaluated["promotable"], export=exported.task_id,
    )  # fmt: skip


def failure(failed: Failure) -> Reason:
    """The reason of an autopilot that was cancelled or crashed: where it was."""
    return AutopilotStopped(at=PARTS[int(failed.figures.get("stage", 1)) - 1], problem=failed.problem, error=failed.error)


def _shared(given: dict[str, Any], request: type[Request]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in request.model_fields}
