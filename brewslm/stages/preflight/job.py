"""preflight.run: what is asked, what is frozen, what is left."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from brewslm.handlers.eval_pack import EvalPack, load_eval_pack
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.recipe import Recipe, recipe_named
from brewslm.models.runtime import RuntimeProfile, runtime_profile
from brewslm.reasons import Reason
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.plan import TrainPlan
from brewslm.store import tables
from brewslm.store.records import Records


class PreflightRequest(ProjectRequest):
    """Whether the newest manifest can be trained on this machine; fields as in TrainRequest."""

    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    manifest_version: int | None = None
    eval_pack: str = "default"
    runtime: str | None = None


class PreflightJob(Job):
    """All that the checks read."""

    base: BaseModelInfo
    manifest_path: Path
    manifest_sha256: str
    recipe: Recipe
    eval_pack: EvalPack
    runtime: RuntimeProfile


class PreflightResult(Result):
    """Pass or fail, why, and the plan."""

    passed: bool
    findings: list[Finding]
    plan: TrainPlan | None

    def blockers(self) -> list[Finding]:
        """Findings that stop training."""
        return [finding for finding in self.findings if finding.severity == "blocker"]


def resolve(request: PreflightRequest, records: Records) -> PreflightJob:
    """Look up the manifest, the base model and this machine.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): One of them is not there.
    """
    manifest = records.manifest(request.manifest_version)
    return PreflightJob(
        base=base_model(records.base_locator(request.base_model)),
        manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256,
        recipe=recipe_named(request.recipe or manifest.task_profile, request.settings),
        eval_pack=load_eval_pack(request.eval_pack),
        runtime=runtime_profile(request.runtime),
    )


def record(result: PreflightResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Nothing to write: the run keeps the result, and a fatal finding is told when training is dispatched."""
    return ()
