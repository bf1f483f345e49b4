"""The bundle of a model that is not causal: its folder for transformers, asked again from disk before it counts."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.architectures import architecture_for
from brewslm.models.formats import ADAPTER_FORMAT, MERGED
from brewslm.models.loading import set_threads
from brewslm.models.trained import ADAPTER, WHOLE, is_whole
from brewslm.processes.context import Context
from brewslm.reasons.export import ExportRunFailed
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export.bundle import finish
from brewslm.stages.export.job import Artifact, ExportJob
from brewslm.store.files import write_json

Describe = Callable[[str, str, float | None], Artifact]


def fill(job: ExportJob, bundle: Path, data: PreparedData, context: Context, describe: Describe) -> list[Artifact]:
    """Merge, write, read again, and ask both the same held-out rows: every answer must be the same.

    Args:
        describe: Makes the record of an artifact: (variant, file with its weights, agreement).

    Raises:
        StageError(ExportRunFailed): An answer differs, there is no row to ask, or no weight is other than the base's.
    """
    set_threads()
    for stale in bundle.iterdir():  # of an attempt that was killed: these models are small, and made again as a whole
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    schema, progress = data.manifest.output_schema, _steps(context)
    architecture = architecture_for(job.base.architecture, job.base.folder, schema)
    handler = handler_for(data.manifest.task_profile, schema)
    held_out = data.eval()
    rows = held_out[:: max(1, len(held_out) // job.policy.prompts)][: job.policy.prompts]
    if not rows:
        raise _failed(job, "there is no held-out row to ask")
    model = architecture.load(job.adapter, "fp32", merge=False)
    wanted = handler.predict(rows, architecture.predictor(model))
    progress("trained model asked")
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    if _same_weights(merged, architecture.load(precision="fp32")):
        raise _failed(job, "every weight is that of its untrained base", "The trained model changed nothing")
    merged.save_pretrained(bundle / "hf")
    architecture.save_reader(bundle / "hf")
    architecture.save_reader(bundle / "tokenizer")
    del model, merged
    progress("merged")
    answered = handler.predict(rows, architecture.predictor(architecture.read_weights(bundle / "hf")))
    same = [one.output == other.output for one, other in zip(wanted, answered, strict=True)]
    if not all(same):
        raise _failed(job, f"{same.count(False)} of {len(same)} answers differ from the trained model's")
    progress("checked")
    (bundle / "safetensors-merged").mkdir()
    for name in (WHOLE, "config.json"):
        (bundle / "safetensors-merged" / name).hardlink_to(bundle / "hf" / name)
    made = {"hf": describe("hf", WHOLE, 1.0), "safetensors-merged": describe("safetensors-merged", WHOLE, 1.0)}
    if not is_whole(job.adapter):
        shutil.copytree(job.adapter, bundle / ADAPTER_FORMAT)
        made[ADAPTER_FORMAT] = describe(ADAPTER_FORMAT, ADAPTER, None)
    write_json(
        bundle / "smoke-trace.json",
        {
            "schema_version": "brewslm/smoke-trace/1",
            "experiment": job.experiment_id,
            "answers": [one.model_dump(mode="json") for one in wanted],
            "agreement": {"merged": {"least": 1.0, "rows": len(rows), "same": len(rows)}},
        },
    )
    artifacts = [made[name] for name in job.formats]
    unwanted = tuple(set(made) - set(job.formats))
    finish(job, bundle, artifacts, data, made[MERGED].sha256, unwanted)
    for name in unwanted:
        shutil.rmtree(bundle / name)
    return artifacts


def _steps(context: Context) -> Callable[[str], None]:
    done = iter(range(1, 4))

    def step(said: str) -> None:
        context.check()
        context.progress(next(done), 3, said)

    return step


def _same_weights(model: Any, base: Any) -> bool:
    """Whether training left no trace. The answers can't tell: of a few rows a trained model may say what its base says."""
    untrained = base.state_dict()
    return all(values.equal(untrained[name]) for name, values in model.state_dict().items() if name in untrained)


def _failed(job: ExportJob, cause: str, what: str = "The exported model does not answer as the trained one") -> StageError:
    return StageError(ExportRunFailed(experiment_id=job.experiment_id, format="hf", error=cause), what, cause=cause)
