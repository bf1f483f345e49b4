"""The export itself, top to bottom. It runs in a child process."""

import os
import shutil
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.gguf_model import quantise
from brewslm.models.gguf_writer import check_writable, tensor_types, write_gguf
from brewslm.models.loading import load_model, load_tokenizer, set_threads, yield_when_waiting
from brewslm.models.templates import end_token_id
from brewslm.models.trained import ADAPTER, WHOLE, is_whole, trained_weights
from brewslm.processes.context import Context
from brewslm.reasons.export import ExportArtifactMissing, ExportQuantizationFailed
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export import other
from brewslm.stages.export.job import ADAPTER_FORMAT, Artifact, ExportJob, ExportResult
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.store.files import new_folder, read_json, sha256, write_json


def run(job: ExportJob, context: Context) -> ExportResult:
    """Merge, convert, quantise; run each artifact against the trained model; write the bundle.

    Raises:
        StageError(ExportArtifactMissing): The adapter or the base is gone, or is not the one of the experiment.
        StageError(ExportRunFailed): An artifact disagrees with the trained model.
        StageError(ExportQuantizationFailed): A quantised file could not be made.
        StageError(GgufUnsupported): The model can't be written as GGUF.
        StageError(ManifestMismatch): The held-out rows, which are asked, were changed.
    """
    began = time.monotonic()
    yield_when_waiting()
    verify_inputs(job)
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    if any(name.startswith("gguf") for name in job.formats):
        check_writable(job.base.folder)
    for stale in job.output.parent.glob(f".{job.export_id}.*"):  # a former attempt that was killed
        shutil.rmtree(stale)
    with new_folder(job.output) as bundle:
        if job.base.architecture == "causal":
            artifacts = _fill(job, bundle, data, context)
        else:
            artifacts = other.fill(job, bundle, data, context, partial(_artifact, bundle))
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
    steps = iter(range(1, 99))
    total = 3 + len(_needed(job.formats))

    def step(said: str) -> None:
        context.check()
        context.progress(next(steps), total, said)

    tokenizer = load_tokenizer(job.base.folder)
    end = end_token_id(tokenizer)
    model = load_model(job.base.folder, job.adapter, "fp32", merge=False)
    step("trained model asked")
    smoke = SmokeCheck.asked(job, data, model, tokenizer)
    write_merged(model, tokenizer, bundle / "hf", end)
    del model
    step("merged")
    smoke.check_merged(bundle / "hf")
    made = {"hf": _artifact(bundle, "hf", WHOLE, smoke.top1_of("hf"))}
    made["safetensors-merged"] = _merged_weights(bundle, smoke)
    if not is_whole(job.adapter):
        shutil.copytree(job.adapter, bundle / ADAPTER_FORMAT)
        made[ADAPTER_FORMAT] = _artifact(bundle, ADAPTER_FORMAT, ADAPTER, None)
    step("checked")
    f16 = bundle / "gguf-f16" / "model-f16.gguf"
    for variant in _needed(job.formats):
        file = bundle / variant / f"model-{variant.removeprefix('gguf-')}.gguf"
        file.parent.mkdir()
        if variant == "gguf-f16":
            name = f"{job.base.name}-{job.experiment_id}"
            write_gguf(bundle / "hf", file, name=name, end_token=end, tokenizer_from=job.base.gguf)
        else:
            write_quantised(f16, file, variant, job.experiment_id)
        smoke.check_gguf(file, variant)
        made[variant] = _artifact(bundle, variant, file.name, smoke.top1_of(variant))
        step(variant)
    write_tokenizer_folder(tokenizer, bundle / "tokenizer", job.base.context_length)
    smoke.write(bundle / "smoke-trace.json")
    for name in set(made) - set(job.formats):
        shutil.rmtree(bundle / name)
    return [made[name] for name in job.formats]


def _needed(formats: tuple[str, ...]) -> list[str]:
    """The GGUF variants to make: every quantised one is made from F16."""
    wanted = [name for name in formats if name.startswith("gguf")]
    return wanted if not wanted or wanted[0] == "gguf-f16" else ["gguf-f16", *wanted]


def write_merged(model: Any, tokenizer: Any, folder: Path, end: int) -> None:
    """Merge the adapter into the base, in fp32, and write a folder that transformers and vLLM load.

    A whole model is its own merge.
    """
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    merged.generation_config.eos_token_id = end
    merged.generation_config.do_sample = False
    merged.save_pretrained(folder)
    write_tokenizer_folder(tokenizer, folder, merged.config.max_position_embeddings)


def write_tokenizer_folder(tokenizer: Any, folder: Path, context_length: int) -> None:
    """The tokenizer under a class name that transformers 4 and vLLM know too, without notes about this machine."""
    tokenizer.save_pretrained(folder)
    settings = read_json(folder / "tokenizer_config.json")
    for key in ("backend", "is_local", "local_files_only"):
        settings.pop(key, None)
    write_json(
        folder / "tokenizer_config.json",
        settings | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context_length},
    )


def write_quantised(source: Path, target: Path, variant: str, experiment_id: str) -> None:
    """Quantise the F16 file.

    Raises:
        StageError(ExportQuantizationFailed): llama.cpp could not.
    """
    if not quantise(source, target, variant.removeprefix("gguf-")):
        cause = "llama.cpp could not quantise the F16 file; its words are in the run's log.txt"
        reason = ExportQuantizationFailed(experiment_id=experiment_id, format=variant, error=cause)
        raise StageError(reason, f"{variant} could not be made", cause=cause)


def _merged_weights(bundle: Path, smoke: SmokeCheck) -> Artifact:
    """The merged weights and their config by themselves: the same file as in `hf`, linked, not copied."""
    folder = bundle / "safetensors-merged"
    folder.mkdir()
    for name in (WHOLE, "config.json"):
        os.link(bundle / "hf" / name, folder / name)
    return _artifact(bundle, "safetensors-merged", WHOLE, smoke.top1_of("safetensors-merged"))


def _artifact(bundle: Path, variant: str, weights: str, agreement: float | None) -> Artifact:
    """A GGUF file, or the folder of a variant; `weights` is the file in that folder which holds them."""
    file = bundle / variant / weights
    is_gguf = file.suffix == ".gguf"
    whole = [file] if is_gguf else [each for each in (bundle / variant).rglob("*") if each.is_file()]
    return Artifact(
        format=variant,
        quantization=variant.removeprefix("gguf-") if is_gguf else None,
        path=f"{variant}/{weights}" if is_gguf else variant,
        weights=f"{variant}/{weights}",
        size_bytes=sum(each.stat().st_size for each in whole),
        sha256=sha256(file),
        agreement=agreement,
        tensor_types=tensor_types(file) if is_gguf else {},
    )


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
