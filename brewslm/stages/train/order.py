"""The order in which rows are trained on."""

import random
from collections.abc import Iterator, Sequence


class LengthGroupedOrder:
    """Places of examples in an order that is a function of (seed, epoch) alone, so that a resumed run sees the same batches.

    Shuffled, sorted by length within stretches of 32 batches, and the batches of each stretch shuffled: rows of like length
    share a batch, which keeps the tokens per step even, and yet no epoch has a drift from short to long.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = list(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (the data loader calls this)."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed}:{self._epoch}")
        places = list(range(len(self._lengths)))
        chance.shuffle(places)
        stretch = 32 * self._batch
        for start in range(0, len(places), stretch):
            near = sorted(places[start : start + stretch], key=lambda place: self._lengths[place])
            batches = [near[at : at + self._batch] for at in range(0, len(near), self._batch)]
            whole = [batch for batch in batches if len(batch) == self._batch]
            chance.shuffle(whole)
            for batch in whole + [batch for batch in batches if len(batch) < self._batch]:
                yield from batch
