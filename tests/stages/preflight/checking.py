"""Preflight without tables: the checks on a model's folder and 24 short rows."""

import shutil
from pathlib import Path

from brewslm.models.catalogue import base_model
from brewslm.models.recipe import recipe_named
from brewslm.models.runtime import runtime_profile
from brewslm.processes.context import DirectContext
from brewslm.stages import preflight
from brewslm.store.files import read_json, sha256, write_json
from tests.experiments import write_prepared
from tests.packs import gate, pack_value

ALL = ("hf", "safetensors-adapter", "safetensors-merged", "gguf-f16", "gguf-q8_0", "gguf-q4_k_m")


def job_on(base: Path, work: Path, memory_bytes: int | None = None, formats=ALL, asked=False, **settings: str):
    """A preflight job; the eval pack has one gate, which 24 rows can decide."""
    from brewslm.handlers.eval_pack import EvalPack

    manifest = write_prepared(1, work / "prepared", base)
    over_base = gate(threshold=None, better_than="base")
    runtime = runtime_profile("cpu")
    return preflight.PreflightJob(
        base=base_model(f"path:{base}"), manifest_path=manifest, manifest_sha256=sha256(manifest),
        recipe=recipe_named("classification", {"batch_size": "8"} | settings),
        eval_pack=EvalPack.model_validate(pack_value(over_base)),
        runtime=runtime.model_copy(update={"memory_bytes": memory_bytes or runtime.memory_bytes}), folder=work, formats=formats,
        formats_asked=asked,
    )  # fmt: skip


def checked(base: Path, work: Path, **given) -> preflight.PreflightResult:
    return preflight.run(job_on(base, work, **given), DirectContext(work))


def found(result: preflight.PreflightResult) -> dict[str, preflight.Finding]:
    """By code."""
    return {finding.code: finding for finding in result.findings}


def changed_copy(base: Path, folder: Path, *, template: str | None = None, tokenizer=None, **config) -> Path:
    """The model with another chat template, other settings of its tokenizer (None takes one away), or another config."""
    shutil.copytree(base, folder)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    settings = read_json(folder / "tokenizer_config.json") | (tokenizer or {})
    write_json(folder / "tokenizer_config.json", {key: value for key, value in settings.items() if value is not None})
    write_json(folder / "config.json", read_json(folder / "config.json") | config)
    return folder
