"""export.run: what is asked, what is frozen, what is left."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.formats import DEFAULT_FORMATS, checked_formats, impossible, is_asked, needed_toolchains
from brewslm.models.trained import is_whole
from brewslm.presets import checked, read_preset
from brewslm.processes.toolchains import install_command, missing
from brewslm.reasons import Reason
from brewslm.reasons.export import ExportCompleted
from brewslm.reasons.refusals import InvalidRequest, ToolchainMissing
from brewslm.stages.contract import Job, Request, Result
from brewslm.store import tables
from brewslm.store.records import Records, experiment_of


class ImportancePolicy(BaseModel):
    """How an importance matrix is made, and by how many rows it is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(ge=0)
    tokens: int = Field(gt=0)
    held_out: int = Field(gt=0)


class SmokePolicy(BaseModel):
    """The preset `smoke_check`: how many prompts, and how much of the trained model each artifact must keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int = Field(gt=0)
    answered: int = Field(gt=0)
    max_new_tokens: int = Field(gt=0)
    agreement: dict[str, float]
    """Variant, or "merged" → the least share of tokens."""
    stops: dict[str, float]
    """Variant, or "merged" → the least share of the answers that the trained model ends."""
    live: float = Field(ge=0, le=1)
    importance: ImportancePolicy


class ExportRequest(Request):
    """Export an experiment's model.

    Attributes:
        formats: Those of `DEFAULT_FORMATS` when left out; a group's name, such as "gguf" or "all", stands for all in it.
    """

    experiment: str
    formats: tuple[str, ...] = DEFAULT_FORMATS

    @property
    def format(self) -> str:
        """The one format, or "bundle" for several."""
        return self.formats[0] if len(self.formats) == 1 else "bundle"


class ExportJob(Job):
    """An export, frozen.

    Attributes:
        output: The bundle's folder; it appears when it is whole.
        formats: In the order in which they are made, each once.
        scorecard: Of the newest evaluation of the experiment's own weights, for the model card; None where there is none.
    """

    experiment_id: str
    export_id: str
    base: BaseModelInfo
    base_sha256: str
    adapter: Path
    adapter_sha256: str
    manifest_version: int
    manifest_path: Path
    manifest_sha256: str
    formats: tuple[str, ...]
    policy: SmokePolicy
    scorecard: dict[str, Any] | None = None
    evaluation_id: str | None = None
    output: Path
    project_folder: Path


class Artifact(BaseModel):
    """One file, or folder, of a bundle.

    Attributes:
        path: Relative to the bundle.
        size_bytes: Of the file, or of all files in the folder.
        sha256: Of the file that holds the weights.
        agreement: Teacher-forced top-1 agreement with the trained model; None for the adapter, which is the trained model.
        kl: KL(trained ‖ this), mean over those tokens, in nats. `stopped`: answers it ended, of those that the trained ends.
        tensor_types: For GGUF: how many tensors have each type; llama.cpp chooses others where blocks don't divide a row. What
            each became is in `tensors.json` beside the file.
        importance: Whether it was made with an importance matrix, and what was measured with and without; None where it takes
            none.
    """

    format: str
    quantization: str | None
    path: str
    weights: str
    size_bytes: int
    sha256: str
    agreement: float | None
    kl: float | None = None
    stopped: tuple[int, int] | None = None
    tensor_types: dict[str, int] = {}
    importance: dict[str, Any] | None = None


class ExportResult(Result):
    """What an export leaves.

    Attributes:
        path: The bundle, relative to the project's folder.
    """

    experiment_id: str
    path: str
    manifest_sha256: str
    artifacts: list[Artifact]
    seconds: float


def project_of(request: ExportRequest, session: Session) -> int:
    """The experiment's project.

    Raises:
        StageError(UnknownRun, NotTrained): There is no such finished experiment.
    """
    return experiment_of(session, request.experiment).project_id


def resolve(request: ExportRequest, records: Records) -> ExportJob:
    """Freeze the experiment, its base and its held-out rows.

    Raises:
        StageError(InvalidRequest): A format is not known, or this experiment can't have it.
        StageError(BaseModelNotFound): The base is no longer there.
        StageError(ToolchainMissing): A format needs one that is not installed.
    """
    experiment = experiment_of(records.session, request.experiment)
    base = base_model(experiment.base_model)
    formats = _possible(request.formats, records.folder / experiment.adapter_path, base)
    _check_toolchains(formats)
    manifest = records.session.get_one(tables.DataManifest, experiment.manifest_id)
    evaluation = _newest_evaluation(records, request.experiment)
    return ExportJob(
        experiment_id=request.experiment, export_id=records.run_id, base=base,
        base_sha256=experiment.base_sha256, adapter=records.folder / experiment.adapter_path,
        adapter_sha256=experiment.adapter_sha256, manifest_version=manifest.version,
        manifest_path=records.folder / manifest.path, manifest_sha256=manifest.sha256, formats=formats,
        policy=checked(read_preset("smoke_check"), SmokePolicy, "smoke_check.yaml"),
        scorecard=evaluation.scorecard or None if evaluation else None, evaluation_id=evaluation.run_id if evaluation else None,
        output=records.folder / "exports" / records.run_id, project_folder=records.folder,
    )  # fmt: skip


def _newest_evaluation(records: Records, experiment_id: str) -> tables.Evaluation | None:
    """Of the weights that are exported: not of a checkpoint, of an earlier export, or of a gold set's rows by an endpoint."""
    found = records.session.scalars(
        select(tables.Evaluation)
        .join(tables.Run, tables.Run.id == tables.Evaluation.run_id)
        .where(tables.Evaluation.experiment_id == experiment_id)
        .order_by(tables.Run.number.desc())
    )
    return next((one for one in found if (one.scorecard.get("measured") or {"kind": "experiment"})["kind"] == "experiment"), None)


def _possible(wanted: tuple[str, ...], trained: Path, base: BaseModelInfo) -> tuple[str, ...]:
    """The formats to make. A group's name goes without those that this model can't have; asked for by name they are refused."""
    kept = []
    for name in checked_formats(wanted):
        cause = impossible(name, base.architecture, whole=is_whole(trained), folder=base.folder, tokenizer_from=base.gguf)
        if cause is None:
            kept.append(name)
        elif is_asked(wanted, name):
            next_step = "Ask for safetensors-merged."
            raise StageError(InvalidRequest(), f"{name} can't be made of {base.locator}", cause=cause, next_step=next_step)
    if not kept:
        raise StageError(InvalidRequest(), f"{', '.join(wanted)} can't be made of {base.locator}", next_step="Ask for hf.")
    return tuple(kept)


def _check_toolchains(formats: tuple[str, ...]) -> None:
    """Before anything is made: hours of work must not end at a program that is not there."""
    needed = needed_toolchains(formats)
    absent = missing(tuple(needed))
    if absent:
        wanted = dict.fromkeys(name for toolchain in absent for name in needed[toolchain])
        raise StageError(
            ToolchainMissing(), f"{', '.join(wanted)} can't be made on this machine",
            cause=f"not installed: toolchain {', '.join(absent)}", next_step=f"Run {install_command(absent)}.",
        )  # fmt: skip


def record(result: ExportResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write the export; one event for each artifact."""
    assert run.project_id is not None
    artifacts: dict[str, Any] = {artifact.format: artifact.model_dump(mode="json") for artifact in result.artifacts}
    session.add(
        tables.Export(
            run_id=run.id, project_id=run.project_id, experiment_id=result.experiment_id, path=result.path,
            manifest_sha256=result.manifest_sha256, artifacts=artifacts,
        )
    )  # fmt: skip
    return [
        ExportCompleted(
            experiment_id=result.experiment_id, format=artifact.format, output_path=f"{result.path}/{artifact.path}",
            file_size_bytes=artifact.size_bytes, sha256=artifact.sha256, quantization=artifact.quantization,
            agreement=artifact.agreement,
        )
        for artifact in result.artifacts
    ]  # fmt: skip
