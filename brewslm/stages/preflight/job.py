"""preflight.run: what is asked, what is frozen, what is left."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from brewslm.handlers.eval_pack import DEFAULT_PACK, EvalPack, load_eval_pack
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.recipe import Recipe, preset_for, recipe_named
from brewslm.models.runtime import RuntimeProfile, runtime_profile
from brewslm.reasons import Reason
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.plan import TrainPlan
from brewslm.stages.preflight.plans import PlanOffer
from brewslm.stages.preflight.speed import LastSpeed, last_speed
from brewslm.store import tables
from brewslm.store.records import Records


class PreflightRequest(ProjectRequest):
    """Whether the newest manifest can be trained on this machine; fields as in TrainRequest.

    Attributes:
        export_formats: Those that will be wanted of the trained model; None for all that there are.
        probe: Do two real steps on the longest batch, and measure.
    """

    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    manifest_version: int | None = None
    eval_pack: str = DEFAULT_PACK
    runtime: str | None = None
    export_formats: tuple[str, ...] | None = None
    probe: bool = False


class PreflightJob(Job):
    """All that the checks read.

    Attributes:
        folder: The project's, where experiments stand.
        formats: To export; `formats_asked`: a person named them.
        last: What this machine did with this base before.
    """

    base: BaseModelInfo
    manifest_path: Path
    manifest_sha256: str
    recipe: Recipe
    eval_pack: EvalPack
    runtime: RuntimeProfile
    folder: Path
    formats: tuple[str, ...]
    formats_asked: bool = False
    last: LastSpeed | None = None


class Probe(BaseModel):
    """What two real steps on the longest batch took; the second is the one that is told.

    Attributes:
        peak_memory_bytes: Of the process that did them; 0 when it ran out of memory.
        estimated_bytes: What the plan says.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    tokens: int
    seconds_per_step: float
    peak_memory_bytes: int
    estimated_bytes: int


class PreflightResult(Result):
    """Pass or fail, why, the plan, what could be changed, and what was measured when a probe was asked for."""

    passed: bool
    findings: list[Finding]
    plan: TrainPlan | None
    plans: list[PlanOffer] = []
    probe: Probe | None = None

    def blockers(self) -> list[Finding]:
        """Findings that stop training."""
        return [finding for finding in self.findings if finding.severity == "blocker"]


def resolve(request: PreflightRequest, records: Records, formats: tuple[str, ...]) -> PreflightJob:
    """Look up the manifest, the base model and this machine.

    Args:
        formats: Those that export knows, or of them the request's.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): One of them is not there.
    """
    manifest, base = records.manifest(request.manifest_version), base_model(records.base_locator(request.base_model))
    recipe = request.recipe or preset_for(manifest.task_profile, base.architecture, base.locator)
    return PreflightJob(
        base=base, manifest_path=records.folder / manifest.path, manifest_sha256=manifest.sha256,
        recipe=recipe_named(recipe, request.settings),
        eval_pack=load_eval_pack(request.eval_pack), runtime=runtime_profile(request.runtime), folder=records.folder,
        formats=formats, formats_asked=request.export_formats is not None, last=last_speed(records, base.sha256),
    )  # fmt: skip


def record(result: PreflightResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Nothing to write: the run keeps the result, and a fatal finding is told when training is dispatched."""
    return ()
