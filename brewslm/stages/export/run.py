"""The export itself, top to bottom. It runs in a child process."""

import shutil
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from brewslm.errors import StageError
from brewslm.models.formats import BY_NAME, with_sources
from brewslm.models.loading import load_model, load_tokenizer, set_threads, yield_when_waiting
from brewslm.models.templates import end_token_id
from brewslm.models.trained import trained_weights
from brewslm.processes.context import Context
from brewslm.reasons.export import ExportArtifactMissing
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export import other
from brewslm.stages.export.job import Artifact, ExportJob, ExportResult
from brewslm.stages.export.makers import MAKERS, write_tokenizer_folder
from brewslm.stages.export.making import RECORDS, Making, described
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.store.files import new_folder, sha256, write_json


def run(job: ExportJob, context: Context) -> ExportResult:
    """Merge, convert, quantise; run each artifact against the trained model; write the bundle.

    Raises:
        StageError(ExportArtifactMissing): The adapter or the base is gone, or is not the one of the experiment.
        StageError(ExportRunFailed): An artifact disagrees with the trained model.
        StageError(ExportQuantizationFailed): A quantised file could not be made.
        StageError(GgufUnsupported): The base's tokenizer can't be written as GGUF.
        StageError(ManifestMismatch): The held-out rows, which are asked, were changed.
    """
    began = time.monotonic()
    yield_when_waiting()
    verify_inputs(job)
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    for stale in job.output.parent.glob(f".{job.export_id}.*"):  # a former attempt that was killed
        shutil.rmtree(stale)
    with new_folder(job.output) as bundle:
        if job.base.architecture == "causal":
            artifacts = _fill(job, bundle, data, context)
        else:
            artifacts = other.fill(job, bundle, data, context, partial(described, bundle))
        _write_manifest(job, bundle, artifacts, data)
    return ExportResult(
        experiment_id=job.experiment_id,
        path=str(job.output.relative_to(job.project_folder)),
        manifest_sha256=sha256(job.output / "manifest.json"),
        artifacts=artifacts,
        seconds=round(time.monotonic() - began, 1),
    )


def verify_inputs(job: ExportJob) -> None:
    """Whether adapter and base are still those that were trained.

    Raises:
        StageError(ExportArtifactMissing): One is gone or was changed.
    """
    weights = trained_weights(job.adapter)
    found = sha256(weights) if weights.exists() else None
    for what, seen, wanted in (("adapter", found, job.adapter_sha256), ("base model", job.base.sha256, job.base_sha256)):
        if seen != wanted:
            cause = f"the {what} is missing" if seen is None else f"the {what}'s SHA-256 is not the experiment's"
            reason = ExportArtifactMissing(experiment_id=job.experiment_id, format="safetensors-adapter", error=cause)
            raise StageError(reason, f"{job.experiment_id} can't be exported", cause=cause)


def _fill(job: ExportJob, bundle: Path, data: PreparedData, context: Context) -> list[Artifact]:
    """Make what is wanted and what that needs, check each, and keep what is wanted."""
    set_threads()
    needed = with_sources(job.formats)
    steps = iter(range(1, 99))

    def step(said: str) -> None:
        context.check()
        context.progress(next(steps), 1 + len(needed), said)

    tokenizer = load_tokenizer(job.base.folder)
    model = load_model(job.base.folder, job.adapter, "fp32", merge=False)
    smoke = SmokeCheck.asked(job, data, model, tokenizer)
    making = Making(job, bundle, data, context, tokenizer, end_token_id(tokenizer), smoke, model)
    del model
    step("trained model asked")
    made = {}
    for name in needed:
        made[name] = making.made(name, MAKERS[BY_NAME[name].maker])
        step(name)
    write_tokenizer_folder(making.tokenizer, bundle / "tokenizer", job.base.context_length)
    making.smoke.write(bundle / "smoke-trace.json")
    for name in set(made) - set(job.formats):
        shutil.rmtree(bundle / name)
    shutil.rmtree(bundle / RECORDS)
    return [made[name] for name in job.formats]


def _write_manifest(job: ExportJob, bundle: Path, artifacts: list[Artifact], data: PreparedData) -> None:
    """The bundle manifest: from what it was made, and what is in it."""
    write_json(
        bundle / "manifest.json",
        {
            "schema_version": "brewslm/bundle-manifest/1",
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "export": job.export_id,
            "experiment": job.experiment_id,
            "base_model": {
                "locator": job.base.locator,
                "sha256": job.base.sha256,
                "licence": job.base.licence,
                "note": job.base.note,
            },
            "data_manifest": {"version": job.manifest_version, "sha256": job.manifest_sha256},
            "adapter_sha256": job.adapter_sha256,
            "prompt_format": {
                "style": "chat",
                "task_profile": data.manifest.task_profile,
                "output_schema": data.manifest.output_schema.model_dump(mode="json"),
            },
            "smoke_trace": {"path": "smoke-trace.json", "sha256": sha256(bundle / "smoke-trace.json")},
            "artifacts": [artifact.model_dump(mode="json") for artifact in artifacts],
        },
    )
