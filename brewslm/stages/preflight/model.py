"""What the base model must be."""

from collections.abc import Iterator

from brewslm.models.catalogue import BaseModelInfo
from brewslm.rows.manifest import Manifest
from brewslm.stages.preflight.finding import Finding

TRAINABLE = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
"""Architectures whose layers and output matrix our loss and packs address. Proven here on Llama; the others share its layout."""


def check_architecture(base: BaseModelInfo) -> Iterator[Finding]:
    """Our loss and packs must know its layers."""
    if base.architecture not in TRAINABLE:
        yield Finding(
            code="architecture_not_trainable", severity="blocker", measured=base.architecture, limit=", ".join(TRAINABLE),
            next_step="Choose another --base-model.", fatal=True,
        )  # fmt: skip


def check_tokenizer(base: BaseModelInfo, manifest: Manifest) -> Iterator[Finding]:
    """Rows were measured in another model's tokens: lengths, and what was rejected for them, would not hold."""
    measured = manifest.base_model
    if measured.tokenizer_sha256 != base.tokenizer_sha256:
        yield Finding(
            code="tokenizer_mismatch", severity="blocker",
            measured=f"{base.locator} has tokenizer {base.tokenizer_sha256[:12]}",
            limit=f"{measured.tokenizer_sha256[:12]}, that of {measured.locator}: v{manifest.version} was prepared for it",
            next_step="Give the project this base model (brewslm project change), and prepare again.", fatal=True,
        )  # fmt: skip
