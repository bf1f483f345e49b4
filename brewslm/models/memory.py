"""How much memory a training run takes, computed from the model's own config."""

from pydantic import BaseModel, ConfigDict

from brewslm.models.catalogue import BaseModelInfo

RUNTIME_BYTES = 900 * 2**20
"""Python, torch and transformers themselves, measured after import on Linux."""
ACTIVATION_FLOATS = 34
"""Values kept for the backward pass per token, layer and hidden unit: inputs of seven linear layers, two norms, attention and the
MLP's product, with the adapter's low-rank parts. Counted on Llama-type layers whose MLP is 2.7 times the hidden size."""


class MemoryEstimate(BaseModel):
    """Bytes by what they hold; `total` is the peak."""

    model_config = ConfigDict(frozen=True)

    weights: int
    adapter: int
    activations: int
    logits: int
    runtime: int = RUNTIME_BYTES

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.adapter + self.activations + self.logits + self.runtime


def estimate(base: BaseModelInfo, lora_r: int, pack_tokens: int, supervised_tokens: int) -> MemoryEstimate:
    """The peak of a LoRA run.

    Args:
        pack_tokens: Tokens of the longest single forward pass.
        supervised_tokens: How many of them the loss is taken over.
    """
    hidden, layers = base.hidden_size, base.layers
    adapter = layers * lora_r * hidden * 22  # seven linear layers of a Llama block: rows and columns sum to about 22 hidden
    return MemoryEstimate(
        weights=base.parameters * 4,
        adapter=adapter * 4 * 4,  # weight, gradient and two moments of Adam
        activations=pack_tokens * layers * hidden * ACTIVATION_FLOATS * 4,
        logits=supervised_tokens * base.vocabulary * 4 * 3,  # logits, their softmax, and its gradient
    )


def available_bytes() -> int:
    """Memory that this machine can still give: what is free, or the control group's limit where that is lower."""
    from pathlib import Path

    import psutil

    available = int(psutil.virtual_memory().available)
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        text = limit.read_text().strip()
    except OSError:
        return available
    return min(available, int(text)) if text.isdigit() else available
