"""The sizes of a model's layers, read from its config: what memory and work are counted from."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class ModelShape(BaseModel):
    """A decoder of equal layers, each an attention with grouped keys and a gated MLP.

    Attributes:
        inner: Width of the MLP.
        heads, kv_heads: Of queries, and of keys and values.
        head_size: Width of a head.
        tied: The output matrix is the embedding.
        window: Tokens that a sliding layer sees; None where every layer sees all.
        softcap: Scores of the attention, or logits, are capped.
    """

    model_config = ConfigDict(frozen=True)

    hidden: int
    layers: int
    inner: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool
    window: int | None = None
    softcap: bool = False

    @property
    def queries(self) -> int:
        """Width of all heads' queries."""
        return self.heads * self.head_size

    @property
    def keys(self) -> int:
        """Width of all keys, and of all values."""
        return self.kv_heads * self.head_size

    def linear(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of the seven linear parts of a layer."""
        attention = [(self.hidden, self.queries), (self.hidden, self.keys), (self.hidden, self.keys), (self.queries, self.hidden)]
        return [*attention, (self.hidden, self.inner), (self.hidden, self.inner), (self.inner, self.hidden)]

    @property
    def layer_weights(self) -> int:
        """Weights of a layer's matrices."""
        return sum(inputs * outputs for inputs, outputs in self.linear())

    @property
    def parameters(self) -> int:
        """Weights of all matrices; norms and biases, a thousandth of them, are left out."""
        return self.layers * self.layer_weights + self.vocabulary * self.hidden * (1 if self.tied else 2)

    def adapter_weights(self, rank: int) -> int:
        """Weights of a low-rank adapter on one layer."""
        return sum(rank * (inputs + outputs) for inputs, outputs in self.linear())


def shape_of(folder: Path) -> ModelShape:
    """The shape of a model folder's config.json; what it leaves out is as transformers fills it in."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    heads = config.num_attention_heads
    return ModelShape(
        hidden=config.hidden_size, layers=config.num_hidden_layers, inner=config.intermediate_size, heads=heads,
        kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // heads, vocabulary=config.vocab_size,
        tied=bool(config.tie_word_embeddings), window=_window(config),
        softcap=bool(getattr(config, "attn_logit_softcapping", None) or getattr(config, "final_logit_softcapping", None)),
    )  # fmt: skip


def _window(config: Any) -> int | None:
    kinds = getattr(config, "layer_types", None)
    slides = kinds is None or "sliding_attention" in kinds
    return getattr(config, "sliding_window", None) if slides else None
