"""export.compare: what each variant of a bundle is worth: size, nearness to the trained model, the task's metric, speed, memory.

Every variant that runs by itself is asked the manifest's eval rows in the way in which it would serve them, and held against F16
row by row. The figures stand in the bundle (`comparison.json`) and with the export; promote looks at them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import Metric, Prediction, Scores, TaskHandler
from brewslm.metrics.paired import difference
from brewslm.models.asking import LoadedModel
from brewslm.models.catalogue import base_model
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.formats import BY_NAME, FORMATS
from brewslm.models.loading import set_threads, yield_when_waiting
from brewslm.models.pace import Pace, PaceFailed, pace_of
from brewslm.models.prompt import Answered, Listener, Predictor
from brewslm.processes.context import Context
from brewslm.processes.toolchains import install_command, missing
from brewslm.processes.vllm import TOOLCHAIN, VllmFailed, serve_vllm
from brewslm.reasons import Reason
from brewslm.reasons.export import ExportArtifactMissing, ExportCompared, ExportRunFailed
from brewslm.reasons.refusals import InvalidRequest, UnknownRun
from brewslm.rows.manifest import OutputSchema, PreparedData, PreparedRow
from brewslm.serving import ModelServerFailed, serve_model
from brewslm.serving.targets.local import LocalSettings
from brewslm.settings import settings
from brewslm.stages.contract import Job, Request, Result
from brewslm.stages.export.choosing import Difference, Variant, frontier, recommended
from brewslm.stages.export.job import Artifact
from brewslm.store import tables
from brewslm.store.files import read_json, sha256, write_json
from brewslm.store.records import Records, experiment_of

REFERENCES = ("gguf-f16", "hf")
"""The others are held against the first of these that the bundle has: it lost nothing but what 16 bits lose."""
SURE = 0.95
RUNS = (TOOLCHAIN,)
"""What runs the formats that toolchains make; the one that quantised them is not needed again."""


class CompareRequest(Request):
    """Measure the variants of an export.

    Attributes:
        rows: At most so many of the eval rows, evenly spaced; None for all.
    """

    export: str
    rows: int | None = Field(None, gt=0)


class CompareJob(Job):
    """A comparison, frozen."""

    export_id: str
    experiment_id: str
    bundle: Path
    artifacts: list[Artifact]
    parameters: int
    manifest_path: Path
    manifest_sha256: str
    rows: int | None


class CompareResult(Result):
    """What was measured.

    Attributes:
        reference: The variant that the others are held against.
        higher_is_better: Of the metric.
        variants: In the order of `FORMATS`; `skipped`: a variant that was not measured → why.
        recommended: Without any limit but that it is not worse than the reference.
    """

    export_id: str
    experiment_id: str
    metric: str
    higher_is_better: bool
    n: int
    reference: str
    variants: list[Variant]
    skipped: dict[str, str]
    pareto: list[str]
    recommended: str | None
    seconds: float


class Asked(BaseModel):
    """One variant's answers and pace, kept so that a repeated run does not ask again."""

    model_config = ConfigDict(frozen=True)

    predictions: list[Prediction]
    scoring: str | None
    seconds: float
    pace: Pace | None


Opener = Callable[[CompareJob, Artifact, OutputSchema, Listener], Any]
"""Gives a context manager of the variant's predictor."""


def project_of(request: CompareRequest, session: Session) -> int:
    """The export's project.

    Raises:
        StageError(UnknownRun): There is no such export.
    """
    return _export(request.export, session).project_id


def _export(export_id: str, session: Session) -> tables.Export:
    found = session.get(tables.Export, export_id)
    if found is None:
        raise StageError(UnknownRun(), where=export_id, cause="no export has this id")
    return found


def resolve(request: CompareRequest, records: Records) -> CompareJob:
    """Freeze the bundle and the rows.

    Raises:
        StageError(UnknownRun): There is no such export.
        StageError(InvalidRequest): More rows than are asked for were measured before: fewer would hide what those told.
    """
    export = _export(request.export, records.session)
    known = (export.comparison or {}).get("n", 0)
    if request.rows is not None and request.rows < known:
        cause = f"{known} eval rows were measured before, and {request.rows} would tell less"
        next_step = "Leave the number of rows out: then all are measured anew."
        raise StageError(InvalidRequest(), f"{request.export} is not measured again", cause=cause, next_step=next_step)
    experiment = experiment_of(records.session, export.experiment_id)
    manifest = records.session.get_one(tables.DataManifest, experiment.manifest_id)
    return CompareJob(
        export_id=export.run_id, experiment_id=experiment.run_id, bundle=records.folder / export.path,
        artifacts=[Artifact.model_validate(export.artifacts[name]) for name in FORMATS if name in export.artifacts],
        parameters=base_model(experiment.base_model).parameters, manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256, rows=request.rows,
    )  # fmt: skip


def run(job: CompareJob, context: Context) -> CompareResult:
    """Ask each variant the same rows, by its own runtime; time each in a process of its own.

    Raises:
        StageError(ExportArtifactMissing): A file of the bundle is gone or was changed.
        StageError(ExportRunFailed): A variant does not run.
        StageError(ManifestMismatch): The eval rows are not those of the manifest.
    """
    began = time.monotonic()
    yield_when_waiting()
    set_threads()
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    rows = _chosen(data.eval(), job.rows)
    runnable, skipped = _runnable(job, handler)
    asked: dict[str, Asked] = {}
    for place, artifact in enumerate(runnable):
        context.progress(place, len(runnable), artifact.format)
        context.check()
        asked[artifact.format] = _asked(job, artifact, handler, rows, context)
    scores = {name: handler.score(rows, one.predictions) for name, one in asked.items()}
    reference = next((name for name in REFERENCES if name in asked), next(iter(asked), ""))
    variants = [_figures(job, artifact, handler, asked, scores, reference) for artifact in runnable]
    result = CompareResult(
        export_id=job.export_id, experiment_id=job.experiment_id, metric=handler.primary_metric,
        higher_is_better=not handler.lower_is_better, n=len(rows), reference=reference, variants=variants, skipped=skipped,
        pareto=frontier(variants), recommended=recommended(variants, not handler.lower_is_better).variant,
        seconds=round(time.monotonic() - began, 1),
    )  # fmt: skip
    write_json(job.bundle / "comparison.json", {"schema_version": "brewslm/comparison/1"} | result.model_dump(mode="json"))
    return result


def record(result: CompareResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Keep it with the export, and tell of it."""
    session.get_one(tables.Export, result.export_id).comparison = result.model_dump(mode="json")
    return [
        ExportCompared(
            experiment_id=result.experiment_id, export=result.export_id, metric=result.metric, n=result.n,
            reference=result.reference, variants=len(result.variants),
            worse=[one.variant for one in result.variants if one.worse], recommended=result.recommended,
        )
    ]  # fmt: skip


def _chosen(rows: Sequence[PreparedRow], most: int | None) -> list[PreparedRow]:
    if most is None or len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]


def _runnable(job: CompareJob, handler: TaskHandler) -> tuple[list[Artifact], dict[str, str]]:
    runnable, skipped = [], {}
    for artifact in job.artifacts:
        maker = BY_NAME[artifact.format].maker
        if maker not in OPENERS:
            skipped[artifact.format] = "it is a part of another format, or has no runtime here"
        elif maker != "merged" and (handler.measures_given_texts or handler.media):
            skipped[artifact.format] = f"an endpoint can't be asked {handler.profile}"
        elif BY_NAME[artifact.format].toolchains and missing(RUNS):
            skipped[artifact.format] = f"toolchain {', '.join(RUNS)} is not installed: {install_command(list(RUNS))}"
        else:
            runnable.append(artifact)
    return runnable, skipped


def _asked(job: CompareJob, artifact: Artifact, handler: TaskHandler, rows: list[PreparedRow], context: Context) -> Asked:
    kept = context.folder / "compared" / f"{artifact.format}.json"
    if kept.is_file():
        return Asked.model_validate(read_json(kept))
    file = job.bundle / artifact.weights
    if not file.is_file() or sha256(file) != artifact.sha256:
        cause = "it is missing" if not file.is_file() else "its SHA-256 is another"
        reason = ExportArtifactMissing(experiment_id=job.experiment_id, format=artifact.format, error=cause)
        raise StageError(reason, f"{artifact.format} can't be measured", where=artifact.weights, cause=cause)
    scorings: set[str] = set()
    seconds = 0.0

    def listen(answers: Sequence[Answered]) -> None:
        nonlocal seconds
        context.check()
        scorings.update(one.scoring for one in answers)
        seconds += sum(one.seconds for one in answers)

    with _telling_failure(job, artifact):
        with OPENERS[BY_NAME[artifact.format].maker](job, artifact, handler.schema, listen) as predictor:
            predictions = handler.predict(rows, predictor)
        pace = _pace(job, artifact)
    made = Asked(predictions=predictions, scoring="+".join(sorted(scorings)) or None, seconds=seconds, pace=pace)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, made.model_dump(mode="json"))
    return made


@contextmanager
def _telling_failure(job: CompareJob, artifact: Artifact) -> Iterator[None]:
    import openai

    try:
        yield
    except (ModelServerFailed, PaceFailed, openai.APIError) as error:
        cause = str(error) or type(error).__name__
        reason = ExportRunFailed(experiment_id=job.experiment_id, format=artifact.format, error=cause)
        raise StageError(reason, f"{artifact.format} does not run", cause=cause) from error


def _pace(job: CompareJob, artifact: Artifact) -> Pace | None:
    """On the longest prompt of the smoke check; a model that is not causal has none."""
    prompts = read_json(job.bundle / "smoke-trace.json").get("prompts", [])
    if not prompts or BY_NAME[artifact.format].toolchains:
        return None
    longest = max((one["prompt_ids"] for one in prompts), key=len)
    return pace_of(job.bundle / artifact.path, longest, precision=LocalSettings().precision)


@contextmanager
def _served(job: CompareJob, artifact: Artifact, schema: OutputSchema, listener: Listener) -> Iterator[Predictor]:
    with serve_model(job.bundle / artifact.path) as endpoint:
        yield EndpointPredictor(endpoint.base_url, endpoint.model, listener)


@contextmanager
def _loaded(job: CompareJob, artifact: Artifact, schema: OutputSchema, listener: Listener) -> Iterator[Predictor]:
    # A label by its whole probability is no label under a grammar: as an endpoint is asked, so is this.
    precision = LocalSettings().precision  # else it would be measured in bf16, and answer in fp32
    model = LoadedModel(base_model(f"path:{job.bundle / artifact.path}"), schema, precision=precision)
    yield model.predictor(None, listener, "constrained")


@contextmanager
def _by_vllm(job: CompareJob, artifact: Artifact, schema: OutputSchema, listener: Listener) -> Iterator[Predictor]:
    name = f"{job.export_id}-{artifact.format}"
    server = serve_vllm(job.bundle / artifact.path, settings().home / "serving" / "logs" / f"{name}.log", name=name)
    try:
        server.wait_ready()
        yield EndpointPredictor(server.base_url, name, listener)
    except VllmFailed as error:
        raise ModelServerFailed(str(error)) from error
    finally:
        server.stop()


OPENERS: dict[str, Opener] = {"gguf": _served, "merged": _loaded, "vllm": _by_vllm, "quantised": _by_vllm}
"""By the `maker` of `models/formats.py`."""


def _figures(
    job: CompareJob, artifact: Artifact, handler: TaskHandler, asked: dict[str, Asked], scores: dict[str, Scores], reference: str
) -> Variant:
    name, own = artifact.format, scores[artifact.format]
    metric = own.metrics.get(handler.primary_metric)
    pace = asked[name].pace
    against, note = _against(name, reference, handler, asked, scores)
    return Variant(
        variant=name, size_bytes=artifact.size_bytes, bits_per_weight=_bits(job, artifact), kl=artifact.kl,
        agreement=artifact.agreement, metric=metric or Metric(value=0.0, low=0.0, high=1.0, n=0), difference=against, note=note,
        scoring=asked[name].scoring, seconds=round(asked[name].seconds, 3),
        reads_per_second=pace.reads_per_second if pace else None, writes_per_second=pace.writes_per_second if pace else None,
        peak_memory_bytes=pace.peak_memory_bytes if pace else None,
    )  # fmt: skip


def _against(
    name: str, reference: str, handler: TaskHandler, asked: dict[str, Asked], scores: dict[str, Scores]
) -> tuple[Difference | None, str]:
    """How the variant differs from the reference on the primary metric, row by row, and whether it is worse."""
    if name == reference:
        return None, "the others are held against it"
    if asked[name].scoring != asked[reference].scoring:
        return None, f"its answers were had by {asked[name].scoring}, those of {reference} by {asked[reference].scoring}"
    ours, theirs = (scores[one].figures.get(handler.primary_metric) for one in (name, reference))
    if ours is None or theirs is None:
        return None, "no row counts for the metric"
    gap = difference(ours, theirs, lower_is_better=handler.lower_is_better)
    lost = difference(theirs, ours, 2 * SURE - 1, lower_is_better=handler.lower_is_better)
    # One-sided: McNemar's exact test of a share; else the interval of so much confidence that one end of it is 5 %.
    apart = lost.high < 0 if handler.lower_is_better else lost.low > 0
    worse = apart if lost.p_better is None else lost.p_better < 1 - SURE
    return Difference(value=gap.value, low=gap.low, high=gap.high, n=gap.n, p_worse=lost.p_better, worse=worse), ""


def _bits(job: CompareJob, artifact: Artifact) -> float:
    """Bits of a weight, over all tensors."""
    table = (job.bundle / artifact.weights).parent / "tensors.json"
    if not table.is_file():
        return round(8 * (job.bundle / artifact.weights).stat().st_size / job.parameters, 2)
    tensors = read_json(table).values()
    weights: int = sum(prod(one["shape"]) for one in tensors)
    return round(8 * float(sum(one["bytes"] for one in tensors)) / weights, 2)
