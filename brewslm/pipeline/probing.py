"""preflight.run is composed here, for a stage never imports a stage: the checks, and on request two real steps of training.

The steps run in a heavy child of their own, so that one that runs out of memory is a finding and not a failure.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from brewslm.models.formats import DEFAULT_FORMATS, checked_formats
from brewslm.models.memory import peak_resident_bytes
from brewslm.models.packing import Packable, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.pipeline.working import heavy_lock
from brewslm.processes.child import ChildEnd, run_child
from brewslm.processes.context import Cancelled, Context, DirectContext
from brewslm.processes.trace import read_trace
from brewslm.processes.verdict import Cause
from brewslm.rows.manifest import PreparedData, SplitFile
from brewslm.stages import preflight, train
from brewslm.stages.contract import Job, Result
from brewslm.stages.preflight.data import tokenised_rows
from brewslm.stages.preflight.finding import blocker, gigabytes
from brewslm.stages.preflight.other import encoded_rows
from brewslm.store.files import read_json, sha256, write_atomic, write_json
from brewslm.store.records import Records

STEPS = 2
"""The first lays out the optimizer's moments, and has memory and kernels to set up: the second is what all others are like."""


class CheckJob(Job):
    """What is checked, and what is tried.

    Attributes:
        train: Its steps are done on the longest batch; None: nothing is tried.
        only_steps: This is the child, which does just that.
    """

    preflight: preflight.PreflightJob
    train: train.TrainJob | None
    only_steps: bool = False


class StepsResult(Result):
    """What the child measured."""

    rows: int
    tokens: int
    seconds_per_step: float
    peak_memory_bytes: int


def resolve(request: preflight.PreflightRequest, records: Records) -> CheckJob:
    """Freeze what is checked; and what is tried, when a probe is asked for.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): Something that the checks need is not there.
    """
    shared = request.model_dump(include=set(train.TrainRequest.model_fields))
    tried = train.resolve(train.TrainRequest(**shared), records) if request.probe else None
    return CheckJob(preflight=checks(request, records), train=tried)


def checks(request: preflight.PreflightRequest, records: Records) -> preflight.PreflightJob:
    """The checks alone: with the formats that export makes.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): Something that the checks need is not there.
    """
    wanted = DEFAULT_FORMATS if request.export_formats is None else request.export_formats
    return preflight.resolve(request, records, checked_formats(wanted) if wanted else ())


def run(job: CheckJob, context: Context) -> Result:
    """The checks, and then the steps where they could be done.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
        Cancelled: A person asked to stop.
    """
    if job.only_steps:
        return _steps(job, context)
    report = preflight.run(job.preflight, context)
    if job.train is None or report.plan is None or any(finding.fatal for finding in report.findings):
        return report
    folder = context.folder / "probe"
    shutil.rmtree(folder, ignore_errors=True)  # an earlier attempt's: its checkpoints would be gone on from
    tried = job.model_copy(update={"only_steps": True})
    write_json(folder / "job.json", {"operation": "preflight.run", "job": tried.model_dump(mode="json")})
    end = _in_child(folder, context)
    return _with_steps(report, end, folder)


def _in_child(folder: Path, context: Context) -> ChildEnd:
    def cancelled() -> bool:
        try:
            context.check()
        except Cancelled:
            return True
        return False

    def on_line(line: dict[str, Any]) -> None:
        if line["kind"] == "progress":
            context.progress(line["done"], line["total"], line["unit"], **line["figures"])

    assert isinstance(context, DirectContext)  # only the child that does the steps has another
    with heavy_lock(context):
        end = run_child(folder, on_line, cancelled)
    if end.cause is Cause.CANCELLED:
        raise Cancelled
    return end


def _with_steps(report: preflight.PreflightResult, end: ChildEnd, folder: Path) -> preflight.PreflightResult:
    assert report.plan is not None
    plan, estimated = report.plan, report.plan.memory_bytes["total"]
    if end.cause is Cause.FINISHED:
        done = StepsResult.model_validate(read_json(folder / "result.json"))
        probe = preflight.Probe(**done.model_dump(exclude={"ledger"}), estimated_bytes=estimated)
        return report.model_copy(update={"probe": probe})
    step = "Lower --set pack_tokens=… or max_length, or take --plan safe."
    if end.cause is Cause.OOM:
        limit = f"{gigabytes(plan.runtime.memory_bytes)} to use, {gigabytes(estimated)} estimated"
        found = blocker("probe_out_of_memory", f"the longest batch: {end.evidence}", limit, step)
    else:
        said = end.error.get("code") or end.error.get("error") or end.evidence
        found = blocker("probe_failed", f"the longest batch: {said}", "two steps of training", "Read log.txt of the probe.")
    return report.model_copy(update={"passed": False, "findings": [*report.findings, found]})


def _steps(job: CheckJob, context: Context) -> StepsResult:
    """In the child: train on the longest batch alone, by the product's own training."""
    from brewslm.stages.train.run import run as run_training

    assert job.train is not None
    data = PreparedData(job.train.manifest_path, job.train.manifest_sha256)
    recipe = job.train.recipe
    manifest = _write_batch(data, _longest_rows(job.preflight, data, context), context.folder / "prepared")
    tried = job.train.model_copy(
        update={
            "manifest_path": manifest, "manifest_sha256": sha256(manifest), "output": context.folder / "experiment",
            "recipe": recipe.model_copy(update={"epochs": STEPS, "checkpoints": 1, "patience": 0}),
        }
    )  # fmt: skip
    run_training(tried, context)
    last = read_trace(context.folder / "trace.jsonl", "step")[-1]
    return StepsResult(
        rows=len(last["row_ids"]), tokens=last["tokens"], seconds_per_step=round(last["tokens"] / last["tokens_per_second"], 3),
        peak_memory_bytes=peak_resident_bytes(),
    )  # fmt: skip


def _longest_rows(job: preflight.PreflightJob, data: PreparedData, context: Context) -> set[str]:
    """Row ids of the longest batch, as the base's architecture reads rows."""
    from brewslm.models.loading import load_tokenizer

    recipe = job.recipe
    if job.base.architecture == "causal":
        rows = tokenised_rows(job, data, load_tokenizer(job.base.folder), context).examples
        return {example.row_id for example in longest_batch(recipe, [one for one in rows if one.longest <= recipe.max_length])}
    encoded, _ = encoded_rows(job, data, context)
    kept = sorted((one for one in encoded if one.tokens <= recipe.max_length), key=lambda one: one.tokens, reverse=True)
    return {one.row_id for one in kept[: recipe.batch_size]}


def longest_batch(recipe: Recipe, examples: Sequence[Packable]) -> list[Packable]:
    """The batch, of rows of like length, whose largest pass has the most tokens."""
    prefix = shared_prefix(examples)
    ordered = sorted(examples, key=lambda example: example.tokens, reverse=True)
    batches = [ordered[at : at + recipe.batch_size] for at in range(0, len(ordered), recipe.batch_size)]
    return max(batches, key=lambda batch: max(len(one.ids) for one in pack(batch, prefix, recipe.pack_tokens)))


def _write_batch(data: PreparedData, row_ids: set[str], folder: Path) -> Path:
    """These rows as a prepared version of their own, which training reads like any other."""
    chosen = [row for row in data.rows("train") if row.row_id in row_ids]
    lines = b"".join(orjson.dumps(row.model_dump(mode="json")) + b"\n" for row in chosen)
    write_atomic(folder / "train.jsonl", lines)
    split = SplitFile(path="train.jsonl", sha256=sha256(folder / "train.jsonl"), size_bytes=len(lines), rows=len(chosen))
    manifest = data.manifest.model_copy(
        update={"splits": {"train": split}, "rows": {"train": len(chosen)}, "files": [], "continued": None}
    )
    write_json(folder / "manifest.json", manifest.model_dump(mode="json"))
    return folder / "manifest.json"
