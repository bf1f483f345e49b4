"""Linear layers of a model that only answers: weights lie as oneDNN multiplies them, and layers of one input are one product.

A product of few rows, such as a token each of 64 answers, takes little more time than oneDNN needs to bring the weights into its
own order for it, which it would at every call. Here that is done once. Sums may be split otherwise, and so round otherwise.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Layers that read one input, by the names that transformers gives them in every family."""


def arrange(model: Any, rows: int) -> None:
    """Arrange every linear layer. On other devices than the CPU, nothing is done.

    The layers' own weights are given up for it, but for those that are the embedding too: the model can answer then, and no
    longer be saved or trained.

    Args:
        model: A model of transformers in eval mode, without adapters.
        rows: Of the products that shall be fast.
    """
    if model.device.type != "cpu" or not _multiplies(model.dtype):
        return
    embedding = model.get_input_embeddings().weight
    for layers in _groups(model):
        _arrange(layers, rows, embedding)


def _multiplies(dtype: torch.dtype) -> bool:
    """Whether oneDNN does so here."""
    here: bool = torch._C._has_mkldnn
    return here and (dtype != torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))


def _groups(model: Any) -> Iterator[list[Any]]:
    for module in model.modules():
        linear = {name: child for name, child in module.named_children() if type(child) is torch.nn.Linear}
        for names in TOGETHER:
            if linear.keys() >= set(names) and len({linear[name].bias is None for name in names}) == 1:
                yield [linear.pop(name) for name in names]
        yield from ([layer] for layer in linear.values())


def _arrange(layers: Sequence[Any], rows: int, embedding: Any) -> None:
    arranged = _Arranged(layers, rows)
    for index, layer in enumerate(layers):
        layer.forward = partial(arranged.part, index)
        if layer.weight is not embedding:
            layer.weight = torch.nn.Parameter(layer.weight.new_empty(0), requires_grad=False)


class _Arranged:
    """Layers that read the same input: torch's Linear, with a bias each or none."""

    def __init__(self, layers: Sequence[Any], rows: int) -> None:
        weight = torch.cat([layer.weight.detach() for layer in layers])
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
        self._bias = None if layers[0].bias is None else torch.cat([layer.bias.detach() for layer in layers])
        self._outs = [layer.out_features for layer in layers]
        self._input: Any = None
        self._waiting: list[Any] = []

    def part(self, index: int, x: Any) -> Any:
        """One layer's share. The model asks layer by layer: the first asks for all, and the others find theirs."""
        if x is not self._input or self._waiting[index] is None:
            made = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
            self._input, self._waiting = x, list(made.split(self._outs, -1))
        out, self._waiting[index] = self._waiting[index], None
        if all(one is None for one in self._waiting):
            self._input = None
        return out
