"""Keys and values of a batch whose rows come and go, in room that was made beforehand.

transformers' own cache is copied whole at each token, and its rows all stay until the last one has ended.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

AHEAD = 64
"""Tokens that room is made for beyond those that are there."""


class _Layer(DynamicLayer):  # type: ignore[misc]
    """One layer's room: (slots, heads, places, width), of which the first `rows` slots and `edge` places are in use."""

    def __init__(self, slots: "Slots", like: Any, size: int) -> None:
        super().__init__()
        self._slots = slots
        shape = (size, like.shape[1], 0, like.shape[3])
        self.keys, self.values = torch.zeros(shape, dtype=like.dtype), torch.zeros(shape, dtype=like.dtype)
        self.dtype, self.device, self.is_initialized = like.dtype, like.device, True

    def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Write one token of each row, and give all that there is of it."""
        rows, edge = self._slots.rows, self._slots.edge
        self.keys[:rows, :, edge : edge + 1] = key_states
        self.values[:rows, :, edge : edge + 1] = value_states
        return self.keys[:rows, :, : edge + 1], self.values[:rows, :, : edge + 1]

    def get_seq_length(self) -> int:
        """Tokens of the longest row could be so many."""
        return self._slots.edge

    def room(self, places: int, shift: int, kept: int) -> None:
        """Make room for `places`, and move the last `kept` of the places in use down by `shift`."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = old if old.shape[2] >= places else old.new_zeros(*old.shape[:2], places, old.shape[3])
            if self._slots.rows and (shift or new is not old):
                new[: self._slots.rows, :, :kept] = old[: self._slots.rows, :, shift : shift + kept].clone()
            setattr(self, name, new)


class Slots:
    """The rows' cache. All rows end at the same place, `edge`; before a row's beginning nothing counts.

    Args:
        size: Rows at once.
    """

    def __init__(self, size: int) -> None:
        self.size, self.rows, self.edge = size, 0, 0
        self._layers: list[_Layer] = []
        self._places = 0

    @property
    def cache(self) -> Cache:
        """For the model's next token of every row; `advance` afterwards."""
        return Cache(layers=list(self._layers))

    def put(self, filled: Any, shared: int, taken: Sequence[tuple[int, int]]) -> None:
        """Take rows over from a dynamic cache.

        There each row has the tokens that all share, then what pads it, then its own; here nothing pads it within.

        Args:
            shared: How many tokens all of them begin with.
            taken: Of each row, its place in that cache's batch, and its tokens in all; where rows are in use, not more than the
                edge.
        """
        if not self._layers:
            self._layers = [_Layer(self, layer.keys, self.size) for layer in filled.layers]
        if not self.rows:
            self.edge = max(tokens for _, tokens in taken)
        self._room(0)
        for layer, new in zip(self._layers, filled.layers, strict=True):
            for to, from_ in ((layer.keys, new.keys), (layer.values, new.values)):
                for slot, (place, tokens) in enumerate(taken, self.rows):
                    begin, own = self.edge - tokens, tokens - shared
                    to[slot, :, begin : begin + shared] = from_[place, :, :shared]
                    to[slot, :, begin + shared : self.edge] = from_[place, :, from_.shape[2] - own :]
        self.rows += len(taken)

    def drop(self, slot: int) -> None:
        """Let a row go: the last one takes its slot."""
        self.rows -= 1
        if slot != self.rows:
            for layer in self._layers:
                layer.keys[slot, :, : self.edge] = layer.keys[self.rows, :, : self.edge]
                layer.values[slot, :, : self.edge] = layer.values[self.rows, :, : self.edge]

    def advance(self, longest: int) -> None:
        """One token more of every row is there.

        Args:
            longest: Tokens of the longest row.
        """
        self.edge += 1
        if self.edge >= self._places:
            self._room(self.edge - longest)

    def _room(self, shift: int) -> None:
        """Room for some tokens more, after the rows were moved down by `shift`."""
        if shift or self.edge >= self._places:
            kept = self.edge - shift
            self._places = max(self._places, kept + AHEAD)
            for layer in self._layers:
                layer.room(self._places, shift, kept)
            self.edge = kept
