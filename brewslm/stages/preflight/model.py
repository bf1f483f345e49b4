"""What the base model must be."""

from collections.abc import Iterator, Sequence

from brewslm.handlers import handler_if_any
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.formats import impossible
from brewslm.models.packing import Packable
from brewslm.models.shape import ModelShape
from brewslm.rows.manifest import Manifest
from brewslm.stages.preflight.finding import Finding, blocker, warning

TRAINABLE = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Gemma3ForCausalLM")
"""Architectures whose layers and output matrix our loss and packs address: tests/models/test_families.py trains each."""


def check_architecture(base: BaseModelInfo, manifest: Manifest) -> Iterator[Finding]:
    """The task's handler must know how to train it, and of a causal one our loss and packs must know its layers."""
    handler, step = handler_if_any(manifest.task_profile, manifest.output_schema), "Choose another --base-model."
    if handler and base.architecture not in handler.architectures:
        served = f"{', '.join(sorted(handler.architectures))}, for {manifest.task_profile}"
        yield blocker("architecture_not_trainable", f"{base.architecture} ({base.model_class})", served, step, fatal=True)
    elif base.architecture == "causal" and base.model_class not in TRAINABLE:
        yield blocker("architecture_not_trainable", base.model_class, ", ".join(TRAINABLE), step, fatal=True)


def check_softcap(base: BaseModelInfo, shape: ModelShape) -> Iterator[Finding]:
    """Scores that the model caps (as Gemma 2 does) would not be capped in our attention, nor logits in our loss."""
    if shape.softcap:
        measured = f"{base.locator} caps its attention scores or logits"
        yield blocker("scores_are_capped", measured, "no softcapping in config.json", "Choose another --base-model.", fatal=True)


def check_tokenizer(base: BaseModelInfo, manifest: Manifest) -> Iterator[Finding]:
    """Rows were measured in another model's tokens: lengths, and what was rejected for them, would not hold."""
    measured = manifest.base_model
    if measured.tokenizer_sha256 != base.tokenizer_sha256:
        yield blocker(
            "tokenizer_mismatch",
            f"{base.locator} has tokenizer {base.tokenizer_sha256[:12]}",
            f"{measured.tokenizer_sha256[:12]}, that of {measured.locator}: v{manifest.version} was prepared for it",
            "Give the project this base model (brewslm project change), and prepare again.",
            fatal=True,
        )


def check_window(base: BaseModelInfo, shape: ModelShape, examples: Sequence[Packable]) -> Iterator[Finding]:
    """A row must be seen whole by every layer: by those with a sliding window (Gemma 3, some Mistral) too."""
    for code, most, what in (
        ("rows_over_window", shape.window, "tokens, the window of its sliding layers"),
        ("rows_over_context", base.context_length, "tokens, the model's context"),
    ):
        longer = sum(example.longest > most for example in examples) if most else 0
        if longer:
            longest = max(example.longest for example in examples)
            measured = f"{longer} of {len(examples)} rows are longer; the longest has {longest} tokens"
            step = f"Leave them out with --set max_length={most}, or choose another --base-model."
            yield blocker(code, measured, f"{most} {what}", step, fatal=True)


def check_exports(base: BaseModelInfo, formats: tuple[str, ...], asked: bool) -> Iterator[Finding]:
    """Each wanted format must be one that can be made of this architecture.

    Args:
        asked: A person named the formats; otherwise they are all there are, and one that can't be made is no reason to stop.
    """
    tell = blocker if asked else warning
    causes: dict[str, list[str]] = {}
    for name in formats:
        # Whether an adapter will stand there is known after the training; "every format" then goes without it.
        cause = impossible(name, base.architecture, whole=False, folder=base.folder, tokenizer_from=base.gguf)
        if cause:
            causes.setdefault(cause, []).append(name)
    for cause, names in causes.items():
        step = "Export it as safetensors-merged or hf, which transformers loads."
        yield tell("export_format_unsupported", f"{', '.join(names)}: {cause}", "a format that this base can have", step)
