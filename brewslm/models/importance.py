"""What each column of a model's matrices is worth: llama.cpp's importance matrix, made of rows that the model was trained on.

A weight's rounding error reaches the output multiplied by its column's input; so the mean squared input of a column, over real
text, is the weight of its errors (llama.cpp, tools/imatrix).
"""

from collections.abc import Sequence
from typing import Any

from brewslm.models.gguf_writer import gguf_name

Importance = dict[str, Any]
"""A tensor's name in the GGUF file → numpy float32 (columns,)."""


def importance(model: Any, sequences: Sequence[Sequence[int]]) -> Importance:
    """The mean squared input of each column of each matrix, over all tokens of these sequences.

    Args:
        model: A merged causal model of transformers, without any adapter beside it.
        sequences: Token ids; each is read by itself.
    """
    import torch

    tied = bool(model.config.tie_word_embeddings)
    sums: dict[str, Any] = {}
    hooks = []

    def watch(name: str) -> Any:
        def add(_module: Any, inputs: tuple[Any, ...]) -> None:
            seen = inputs[0].detach().float().reshape(-1, inputs[0].shape[-1])
            squares = seen.square().sum(dim=0, dtype=torch.float64)
            sums[name] = sums[name] + squares if name in sums else squares

        return add

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            # A tied output matrix is stored once, under the embedding's name.
            key = "model.embed_tokens.weight" if tied and name == "lm_head" else f"{name}.weight"
            hooks.append(module.register_forward_pre_hook(watch(gguf_name(key)[0])))
    try:
        with torch.inference_mode():
            for ids in sequences:
                model(input_ids=torch.tensor([list(ids)]))
    finally:
        for hook in hooks:
            hook.remove()
    tokens = sum(map(len, sequences))
    return {name: (total / tokens).float().contiguous().numpy() for name, total in sums.items()}
