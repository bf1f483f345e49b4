"""The order in which rows are trained on."""

import random
from collections.abc import Iterator


class ShuffledOrder:
    """Places of examples in an order that is a function of (seed, epoch) alone, so that a resumed run sees the same batches.

    Rows of like length do not share a batch: where length tells the answer (a refusal is short), each step would pull towards
    one answer. Padding is saved within a step, whose passes are made of like rows.
    """

    def __init__(self, rows: int, seed: int) -> None:
        self._rows, self._seed, self._epoch = rows, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (the data loader calls this)."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[int]:
        places = list(range(self._rows))
        random.Random(f"{self._seed}:{self._epoch}").shuffle(places)
        return iter(places)
