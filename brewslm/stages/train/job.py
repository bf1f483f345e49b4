"""train.run: what is asked, what is frozen, what is left."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from sqlalchemy.orm import Session

from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.environment import Environment
from brewslm.models.loading import thread_count
from brewslm.models.recipe import Method, Recipe, preset_for, recipe_named
from brewslm.reasons import Reason
from brewslm.reasons.training import TrainingCompleted
from brewslm.stages.contract import Job, PlanName, ProjectRequest, Result
from brewslm.stages.train.sinks import SinkName, must_be_there
from brewslm.store import tables
from brewslm.store.records import Records

BACKEND = "transformers+peft"


class TrainRequest(ProjectRequest):
    """Train on the project's prepared rows.

    Attributes:
        recipe: A preset; the one named like the manifest's task profile when left out.
        settings: Recipe keys to change, as text: {"epochs": "2"}.
        manifest_version: The newest when left out.
        fail_open: Let preflight's blockers pass as warnings where training is possible at all.
        plan: Change the recipe as this plan of preflight does; left as it is otherwise.
        export_formats: Those that will be wanted of the trained model, for preflight to look at; None for the usual ones.
        log_to: Write the trace for TensorBoard or MLflow too, into the experiment's folder.
    """

    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    manifest_version: int | None = None
    eval_pack: str = DEFAULT_PACK
    timeout_minutes: float | None = Field(None, gt=0)
    fail_open: bool = False
    plan: PlanName | None = None
    export_formats: tuple[str, ...] | None = None
    log_to: SinkName | None = None


class TrainJob(Job):
    """A training run, frozen: the same job on the same machine gives the same weights.

    Attributes:
        output: Folder of this experiment, for checkpoints and the adapter.
        threads: To compute with; 0, in a job of an older version, for what the settings say.
    """

    experiment_id: str
    project: int
    base: BaseModelInfo
    manifest_id: int
    manifest_path: Path
    manifest_sha256: str
    recipe: Recipe
    output: Path
    threads: int = 0
    log_to: SinkName | None = None


class TrainResult(Result):
    """What training leaves.

    Attributes:
        adapter_path: Of the folder with what was trained, relative to the project's folder: see models/trained.py.
        adapter_sha256: Of the file with its weights.
        real_tokens_per_second: Tokens of rows (no padding, repeated prefixes counted once per row) over the time in steps.
        peak_memory_bytes: The child's peak resident set.
    """

    experiment_id: str
    base_model: str
    base_sha256: str
    manifest_id: int
    manifest_version: int
    adapter_path: str
    adapter_sha256: str
    final_train_loss: float
    best_dev_loss: float | None
    best_step: int
    steps: int
    trained_rows: int
    real_tokens_per_second: float
    seconds: float
    peak_memory_bytes: int
    method: Method = "lora"
    environment: Environment | None = None
    warnings: list[str] = []
    forced: bool = False


def resolve(request: TrainRequest, records: Records) -> TrainJob:
    """Freeze the manifest, the base model and the recipe.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): One of them is not there.
        StageError(DependencyMissing): The sink's library is not.
    """
    if request.log_to is not None:
        must_be_there(request.log_to)
    manifest, base = records.manifest(request.manifest_version), base_model(records.base_locator(request.base_model))
    return TrainJob(
        experiment_id=records.run_id,
        project=records.project_id,
        base=base,
        manifest_id=manifest.id,
        manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256,
        recipe=recipe_named(
            request.recipe or preset_for(manifest.task_profile, base.architecture, base.locator), request.settings
        ),
        output=records.folder / "experiments" / records.run_id,
        threads=thread_count(),
        log_to=request.log_to,
    )


def record(result: TrainResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write the experiment."""
    assert result.ledger is not None and run.project_id is not None
    session.add(
        tables.Experiment(
            run_id=run.id, project_id=run.project_id, manifest_id=result.manifest_id, base_model=result.base_model,
            base_sha256=result.base_sha256, adapter_path=result.adapter_path, adapter_sha256=result.adapter_sha256,
            final_train_loss=result.final_train_loss,
        )
    )  # fmt: skip
    shared = result.model_dump(include=set(TrainingCompleted.model_fields) - {"ledger", "backend"})
    backend = "transformers" if result.method == "full" else BACKEND
    return [TrainingCompleted(**shared, backend=backend, ledger=result.ledger.counts())]
