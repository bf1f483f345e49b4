"""README.md of a manifest version: a dataset card as the Hugging Face hub reads it."""

from typing import Any

from brewslm.rows.manifest import Manifest
from brewslm.stages.prepare.statistics import SplitStatistics, Statistics

_TASKS = {
    "classification": "text-classification",
    "qa": "question-answering",
    "rag_qa": "question-answering",
    "chat_sft": "text-generation",
    "structured_extraction": "token-classification",
    "seq2seq": "text2text-generation",
    "language_modeling": "text-generation",
    "vision_language": "image-text-to-text",
    "audio_transcript": "automatic-speech-recognition",
}
"""Task profile to the hub's own word for it; a profile that is not here has none."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))


def card(manifest: Manifest, statistics: Statistics) -> str:
    """The card, front matter and text. It holds figures, and no row's words."""
    from huggingface_hub import DatasetCardData

    rows = sum(manifest.rows.values())
    data = DatasetCardData(
        language=_languages(statistics),
        task_categories=[_TASKS[manifest.task_profile]] if manifest.task_profile in _TASKS else None,
        size_categories=[next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")],
        tags=["brewslm"],
        configs=[{"config_name": "default", "data_files": _data_files(manifest)}],
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_text(manifest, statistics)}"


def _languages(statistics: Statistics) -> list[str] | None:
    train = statistics.splits["train"].languages
    known = sum(count for code, count in train.items() if code != "und")
    return [code for code, count in train.items() if code != "und" and count >= 0.05 * known] or None


def _data_files(manifest: Manifest) -> list[dict[str, Any]]:
    hub_names = {"train": "train", "eval": "test", "gold": "gold"}
    return [{"split": hub_names[split], "path": file.path} for split, file in manifest.splits.items()]


def _text(manifest: Manifest, statistics: Statistics) -> str:
    ledger, base, split, leaks = manifest.ledger, manifest.base_model, manifest.split, manifest.leakage
    rejected = "".join(f"| {reason} | {count:,} |\n" for reason, count in sorted(ledger.rejected.items())) or "| nothing | 0 |\n"
    by = f"the time in {split.time_by}, the latest being held out" if split.time_by else f"a hash of the {_group(split.group_by)}"
    personal = ", ".join(f"{kind} in {count:,} rows" for kind, count in sorted(manifest.pii.findings.items())) or "none was found"
    if manifest.pii.policy == "off":
        personal = "it was not looked for"
    return f"""# Data manifest v{manifest.version} of project {manifest.project}

{manifest.task_profile} rows, read with the adapter preset {manifest.adapter_preset}. Frozen {manifest.created_at} by BrewSLM.

| split | rows | tokens, median | longest |
|---|---:|---:|---:|
{"".join(_row(name, one) for name, one in statistics.splits.items())}
Tokens are those of {base.locator}, asked and answered as in training; no row has more than {base.max_tokens:,}.
`dev` is inside train.jsonl: it chooses checkpoints, and is not trained on.

## How it was made

{ledger.rows_in:,} rows came in (from {", ".join(manifest.imports)}), {ledger.rows_out:,} were kept. They were split by {by},
with seed {split.seed}. After the split {leaks.rows_compared:,} rows of train were held against all held-out rows:
{leaks.equal_texts} equal texts, {leaks.near_duplicates} near-duplicates (Jaccard ≥ {leaks.jaccard}).

| rejected because of | rows |
|---|---:|
{rejected}
Personal data: {personal}.
"""


def _group(group_by: str) -> str:
    names = {"content": "row's text", "document": "row's document"}
    return names.get(group_by, f"value in {group_by}")


def _row(name: str, one: SplitStatistics) -> str:
    return f"| {name} | {one.rows:,} | {one.tokens.median:,} | {one.tokens.most:,} |\n"
