"""What stands in a bundle beside the weights: manifest, model card, the base's licence, generation config, Modelfiles."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brewslm.models.ollama import modelfile
from brewslm.models.trained import is_whole
from brewslm.presets import FOLDER
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export.job import Artifact, ExportJob
from brewslm.stages.export.making import Making, files_of
from brewslm.store.files import read_json, sha256, write_atomic, write_json

MANIFEST = "manifest.json"
CARD = "README.md"
LICENCE_NAMES = ("LICENSE", "LICENCE", "NOTICE", "COPYING", "USE_POLICY")
ASKED = "…"
"""Stands in the model card where a row's own text was: a card goes farther than the rows may."""


def write_around(making: Making, artifacts: Sequence[Artifact], merged_sha256: str, unwanted: Sequence[str]) -> None:
    """Fill the bundle of a causal model around its weights; for the arguments see `finish`."""
    job, bundle, tokenizer, end = making.job, making.folder, making.tokenizer, making.end
    write_json(bundle / "generation_config.json", {"do_sample": False, "eos_token_id": end, "transformers_version": None})
    for artifact in artifacts:
        if artifact.weights.endswith(".gguf"):
            file = bundle / artifact.weights
            context = min(job.base.context_length, 8192)
            text = modelfile(tokenizer, end, file.name, context, job.base.licence)
            write_atomic(file.parent / "Modelfile", text.encode())
    finish(job, bundle, artifacts, making.data, merged_sha256, unwanted, tokenizer.decode([end]))


def finish(
    job: ExportJob, bundle: Path, artifacts: Sequence[Artifact], data: PreparedData, merged_sha256: str, unwanted: Sequence[str],
    stop: str | None = None,
) -> None:  # fmt: skip
    """The base's licence, the model card, and last the manifest, which names every file.

    Args:
        merged_sha256: Of the merged weights, which every other format was made of, whether they are kept or not.
        unwanted: Folders that stand in the bundle only while it is made.
        stop: The text of the end mark; None for a model that writes no answer.
    """
    licences = _licence_files(job.base.folder, bundle / "base-licence")
    write_atomic(bundle / CARD, _card(job, bundle, artifacts, data, licences, stop).encode())
    files = {path: digest for path, digest in files_of(bundle).items() if path.partition("/")[0] not in unwanted}
    _write_manifest(job, bundle, artifacts, data, merged_sha256, files)


def _licence_files(base: Path, target: Path) -> list[str]:
    found = [one for one in sorted(base.iterdir()) if one.is_file() and one.name.upper().startswith(LICENCE_NAMES)]
    for one in found:
        target.mkdir(exist_ok=True)
        shutil.copyfile(one, target / one.name)
    return [one.name for one in found]


def _card(
    job: ExportJob, bundle: Path, artifacts: Sequence[Artifact], data: PreparedData, licences: list[str], stop: str | None
) -> str:
    from jinja2 import Environment, StrictUndefined

    trace = read_json(bundle / "smoke-trace.json")
    calibration = read_json(bundle / "importance.json") if (bundle / "importance.json").is_file() else None
    prompts = trace.get("prompts", [])
    text = (FOLDER / "model_card.md.jinja").read_text()
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(text).render(
        base=job.base, task=data.manifest.task_profile, experiment=job.experiment_id, project=data.manifest.project,
        export=job.export_id, made_on=datetime.now(UTC).date().isoformat(),
        how="as a whole" if is_whole(job.adapter) else "with an adapter",
        data=data.manifest, data_sha256=data.sha256, calibration=calibration if calibration and calibration["rows"] else None,
        scorecard=job.scorecard, evaluation=job.evaluation_id, artifacts=artifacts, licence_files=licences,
        asked=len(prompts or trace.get("answers", [])), stop=stop,
        prompt=_without_rows(prompts[0]["messages"]) if prompts else None,
        context=data.manifest.base_model.max_tokens,
    )  # fmt: skip


def _without_rows(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one if one["role"] == "system" else {"role": one["role"], "content": ASKED} for one in messages]


def _write_manifest(
    job: ExportJob, bundle: Path, artifacts: Sequence[Artifact], data: PreparedData, merged_sha256: str, files: dict[str, str]
) -> None:
    """The bundle manifest: from what it was made, and what is in it."""
    write_json(
        bundle / MANIFEST,
        {
            "schema_version": "brewslm/bundle-manifest/1",
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "export": job.export_id,
            "experiment": job.experiment_id,
            "base_model": {
                "locator": job.base.locator,
                "revision": job.base.revision,
                "sha256": job.base.sha256,
                "licence": job.base.licence,
                "note": job.base.note,
            },
            "data_manifest": {"version": job.manifest_version, "sha256": job.manifest_sha256},
            "adapter_sha256": job.adapter_sha256,
            "merged_sha256": merged_sha256,
            "evaluation": job.evaluation_id,
            "prompt_format": {
                "style": "chat",
                "task_profile": data.manifest.task_profile,
                "output_schema": data.manifest.output_schema.model_dump(mode="json"),
            },
            "smoke_trace": {"path": "smoke-trace.json", "sha256": sha256(bundle / "smoke-trace.json")},
            "artifacts": [artifact.model_dump(mode="json") for artifact in artifacts],
            "files": {path: digest for path, digest in files.items() if path != MANIFEST},
        },
    )
