"""The export itself, top to bottom. It runs in a child process."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from brewslm.errors import StageError
from brewslm.models.formats import BY_NAME, MERGED, export_bytes, with_sources
from brewslm.models.loading import load_model, load_tokenizer, set_threads, yield_when_waiting
from brewslm.models.templates import end_token_id
from brewslm.models.trained import trained_weights
from brewslm.processes.context import Context
from brewslm.reasons.export import ExportArtifactMissing
from brewslm.reasons.refusals import DiskFull
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export import other
from brewslm.stages.export.bundle import write_around
from brewslm.stages.export.job import Artifact, ExportJob, ExportResult
from brewslm.stages.export.makers import MAKERS, write_tokenizer_folder
from brewslm.stages.export.making import RECORDS, Making, described
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.store.files import resumed_folder, says_full, sha256

SAID = "said"
"""What the trained model and its base say, while the export is made."""


def run(job: ExportJob, context: Context) -> ExportResult:
    """Merge, convert, quantise; run each artifact against the trained model; write the bundle.

    Raises:
        StageError(ExportArtifactMissing): The adapter or the base is gone, or is not the one of the experiment.
        StageError(ExportRunFailed): An artifact disagrees with the trained model.
        StageError(ExportQuantizationFailed): A quantised file could not be made.
        StageError(GgufUnsupported): The base's tokenizer can't be written as GGUF.
        StageError(ManifestMismatch): The held-out rows, which are asked, were changed.
        StageError(DiskFull): The bundle does not fit on the disk; nothing of it is left there.
    """
    began = time.monotonic()
    yield_when_waiting()
    verify_inputs(job)
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    with _telling_full_disk(job), resumed_folder(job.output) as bundle:
        if job.base.architecture == "causal":
            artifacts = _fill(job, bundle, data, context)
        else:
            artifacts = other.fill(job, bundle, data, context, partial(described, bundle))
    return ExportResult(
        experiment_id=job.experiment_id,
        path=str(job.output.relative_to(job.project_folder)),
        manifest_sha256=sha256(job.output / "manifest.json"),
        artifacts=artifacts,
        seconds=round(time.monotonic() - began, 1),
    )


@contextmanager
def _telling_full_disk(job: ExportJob) -> Iterator[None]:
    """Every library has its own words for it."""
    folder = job.output.parent
    folder.mkdir(parents=True, exist_ok=True)
    started = shutil.disk_usage(folder).free
    try:
        yield
    except Exception as error:
        if not says_full(error):
            raise
        needed = export_bytes(job.formats, job.base.parameters, 0)
        cause = f"{started / 2**20:,.1f} MB were free, and about {needed / 2**20:,.1f} MB are needed while it is made"
        raise StageError(DiskFull(), f"{job.export_id} was not written", cause=cause) from error


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

    making = _begun(job, bundle, data, context)
    step("trained model asked")
    made = {}
    for name in needed:
        made[name] = making.made(name, MAKERS[BY_NAME[name].maker])
        step(name)
    write_tokenizer_folder(making.tokenizer, bundle / "tokenizer", job.base.context_length)
    making.smoke.write(bundle / "smoke-trace.json")
    artifacts = [made[name] for name in job.formats]
    unwanted = (RECORDS, SAID, *(set(made) - set(job.formats)))
    write_around(making, artifacts, made[MERGED].sha256, unwanted)
    for name in unwanted:  # last: a kill before this loses nothing that was made
        shutil.rmtree(bundle / name)
    return artifacts


def _begun(job: ExportJob, bundle: Path, data: PreparedData, context: Context) -> Making:
    """Ask the trained model, or read what it said before this export was killed."""
    tokenizer, model = load_tokenizer(job.base.folder), None
    smoke = SmokeCheck.again(job, data, tokenizer, bundle / SAID)
    if smoke is None:
        model = load_model(job.base.folder, job.adapter, "fp32", merge=False)
        smoke = SmokeCheck.asked(job, data, model, tokenizer, bundle / SAID)
    return Making(job, bundle, data, context, tokenizer, end_token_id(tokenizer), smoke, model)
