"""Training examples laid out so that no token is computed twice or for nothing.

All prompts of a task begin with the same words. A pack is one sequence: that prefix once, then several rows' own tokens, each of
which sees the prefix and its own row alone. Positions restart after the prefix. The result is what each row would give by itself
(a test holds loss and gradients against the plain computation), with no padding and no repeated prefix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Trainable(Protocol):
    """What a row became to be trained on.

    Attributes:
        tokens: That the model is given of it.
        supervised: Of these, those that the loss is taken over.
    """

    @property
    def row_id(self) -> str: ...  # noqa: D102 - said above
    @property
    def tokens(self) -> int: ...  # noqa: D102
    @property
    def supervised(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Example:
    """One tokenised row.

    Attributes:
        ids: Prompt, completion and end mark.
        prompt_length: How many of them are the prompt's.
        masked: Ranges after the prompt that are not supervised, in order: what others say between the model's own turns.
    """

    row_id: str
    ids: list[int]
    prompt_length: int
    masked: tuple[tuple[int, int], ...] = ()

    @property
    def tokens(self) -> int:
        """All of them."""
        return len(self.ids)

    @property
    def longest(self) -> int:
        """Of what the model sees at once: the same."""
        return len(self.ids)

    @property
    def sequences(self) -> "tuple[Example, ...]":
        """Itself alone."""
        return (self,)

    @property
    def supervised(self) -> int:
        """Tokens that the loss is taken over."""
        return len(self.ids) - self.prompt_length - sum(stop - start for start, stop in self.masked)

    def labels(self) -> list[int]:
        """Each token that is supervised, -100 in the place of the others: (tokens,)."""
        labels = [-100] * self.prompt_length + self.ids[self.prompt_length :]
        for start, stop in self.masked:
            labels[start:stop] = [-100] * (stop - start)
        return labels


@dataclass(frozen=True, slots=True)
class Pair:
    """One tokenised row of preference: a better and a worse answer to the same prompt. They are always in the same pass."""

    chosen: Example
    rejected: Example

    @property
    def row_id(self) -> str:
        """Of the row."""
        return self.chosen.row_id

    @property
    def tokens(self) -> int:
        """Of both, the prompt's twice."""
        return self.chosen.tokens + self.rejected.tokens

    @property
    def longest(self) -> int:
        """Of the longer one, with its prompt."""
        return max(self.chosen.tokens, self.rejected.tokens)

    @property
    def supervised(self) -> int:
        """Tokens of both answers."""
        return self.chosen.supervised + self.rejected.supervised

    @property
    def sequences(self) -> tuple[Example, ...]:
        """The better one first."""
        return self.chosen, self.rejected


Packable = Example | Pair


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows of one forward pass, as plain lists: (tokens,) each.

    Attributes:
        targets: The token to predict at each position; -100 where nothing is supervised.
        prefix: How many tokens are the shared prefix's.
        lengths: Of each row, its own tokens: (rows,).
    """

    ids: list[int]
    positions: list[int]
    targets: list[int]
    prefix: int
    lengths: list[int]

    @property
    def supervised(self) -> int:
        """Tokens that the loss is taken over."""
        return sum(target != -100 for target in self.targets)

    @property
    def supervised_by_row(self) -> list[int]:
        """The same of each row: (rows,)."""
        counts, at = [], self.prefix
        for length in self.lengths:
            counts.append(sum(target != -100 for target in self.targets[at : at + length]))
            at += length
        return counts


def common_prefix(sequences: Sequence[list[int]]) -> list[int]:
    """The longest beginning that all sequences share."""
    if not sequences:
        return []
    low, high = min(sequences), max(sequences)
    length = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:length]


def shared_prefix(rows: Sequence[Packable]) -> list[int]:
    """The prefix that all prompts share; at least one prompt token of each row stays its own, for it predicts the answer."""
    examples = [example for row in rows for example in row.sequences]
    if len(rows) < 2:
        return []
    prefix = common_prefix([example.ids[: example.prompt_length] for example in examples])
    return prefix[: min(example.prompt_length for example in examples) - 1]


def pack(rows: Sequence[Packable], prefix: Sequence[int], budget: int) -> list[Pack]:
    """Lay rows out in packs of at most `budget` tokens (a longer row gets a pack of its own), in the order given.

    A pair's answers lie side by side in one pack, as two rows of it.
    """
    packs: list[Pack] = []
    waiting: list[Example] = []
    size = len(prefix)
    for row in rows:
        own = row.tokens - len(prefix) * len(row.sequences)
        if waiting and size + own > budget:
            packs.append(_pack(waiting, prefix))
            waiting, size = [], len(prefix)
        waiting += row.sequences
        size += own
    return [*packs, _pack(waiting, prefix)] if waiting else packs


def _pack(examples: Sequence[Example], prefix: Sequence[int]) -> Pack:
    shared = len(prefix)
    ids, positions, targets = list(prefix), list(range(shared)), [-100] * shared
    for example in examples:
        own = example.ids[shared:]
        ids += own
        positions += range(shared, len(example.ids))
        targets += [*example.labels()[shared + 1 :], -100]
    return Pack(ids, positions, targets, shared, [len(example.ids) - shared for example in examples])
