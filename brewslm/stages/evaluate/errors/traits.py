"""What wrong rows have in common and right rows don't: conditions that are true of them more often than chance would have it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

from brewslm.stages.evaluate.errors.conditions import MARKS, ColumnIs, FromSource, HasMark, HasWord, Length, Trait
from brewslm.stages.evaluate.errors.facts import Facts

FEWEST = 5
"""Rows that a trait must be true of before it can name a cluster."""
HOLDS = 0.8
"""Share of a cluster's rows that its name must be true of."""
LEVEL = 0.05
"""A trait is taken where chance would bring one as good in fewer than this share of analyses."""
LIFT, MOST_RIGHT = 1.5, 0.5
"""And where it is so many times as frequent among wrong rows as among right ones, and true of at most so many of these."""
MOST_VALUES = 20
"""Values of a column that is looked at: one with more is an id, or a text."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MOST_TOGETHER, MOST_PAIRED = 3, 30
"""Words in one condition; and how many words such conditions are made of."""


class Tested(NamedTuple):
    """A trait, and what it was measured by.

    Attributes:
        wrong, of_wrong: How many rows of the group have it, and how many there are.
        right, of_right: Likewise of the right rows that these are held against.
        p_value: One-sided exact test by Fisher, times the number of traits that were tried.
    """

    trait: Trait
    wrong: int
    of_wrong: int
    right: int
    of_right: int
    p_value: float

    @property
    def is_specific(self) -> bool:
        """Whether it says anything about the wrong rows."""
        rate = self.right / self.of_right
        common = self.wrong / self.of_wrong
        return self.wrong >= FEWEST and self.p_value < LEVEL and common >= LIFT * rate and rate <= MOST_RIGHT


class Traits:
    """Every trait that the rows of an evaluation offer, with the rows that it is true of.

    Args:
        rows: All of them, right and wrong.
        looks: How many groups will be asked about: each is a look, that the p-values take into account.
    """

    def __init__(self, rows: Sequence[Facts], looks: int) -> None:
        self._looks = max(1, looks)
        self.where: dict[Trait, frozenset[int]] = {}
        for trait, holders in _offered(rows):
            if len(holders) >= FEWEST and len(holders) < len(rows):
                self.where.setdefault(trait, frozenset(holders))

    def best(self, wrong: Collection[int], right: Collection[int]) -> Tested | None:
        """The specific trait that chance is least likely to bring; None where there is none.

        Args:
            wrong, right: Places of rows.
        """
        tested = [one for one in self._tested(self.where.items(), frozenset(wrong), frozenset(right)) if one.is_specific]
        return min(tested, key=lambda one: one.p_value, default=None)

    def best_words(self, cluster: Collection[int], wrong: Collection[int], right: Collection[int]) -> Tested | None:
        """As `best`, of one to three words of which most of the cluster's rows have at least one.

        Args:
            wrong: The group that the cluster is a part of.
        """
        members, others = frozenset(cluster), frozenset(right)
        single = {trait.words[0]: held for trait, held in self.where.items() if isinstance(trait, HasWord)}
        gained = {
            word: len(held & members) / len(members) - len(held & others) / max(1, len(others)) for word, held in single.items()
        }
        chosen = [word for word in sorted(gained, key=lambda word: (-gained[word], word)) if gained[word] > 0][:MOST_PAIRED]
        for count in range(1, MOST_TOGETHER + 1):
            made = (
                (HasWord(words=words), frozenset[int]().union(*(single[word] for word in words)))
                for words in combinations(chosen, count)
            )
            fitting = [(trait, held) for trait, held in made if len(held & members) >= HOLDS * len(members)]
            tried = comb(len(single), count)  # the words themselves were chosen by looking
            tested = [one for one in self._tested(fitting, frozenset(wrong), others, tried) if one.is_specific]
            if tested:
                return min(tested, key=lambda one: one.p_value)
        return None

    def _tested(
        self, traits: Collection[tuple[Trait, frozenset[int]]], wrong: frozenset[int], right: frozenset[int], tried: int = 0
    ) -> Iterator[Tested]:
        """Those with enough rows among these; of several that are true of the same rows, the first."""
        from scipy.stats import hypergeom

        if not wrong or not right:
            return
        different: dict[tuple[frozenset[int], frozenset[int]], Trait] = {}
        for trait, held in traits:
            both, others = held & wrong, held & right
            if len(both) + len(others) >= FEWEST:
                different.setdefault((both, others), trait)
        counts = [(len(a), len(c)) for a, c in different]
        looks = self._looks * (tried or len(different))
        chances = hypergeom.sf(
            [a - 1 for a, _ in counts], len(wrong) + len(right), [a + c for a, c in counts], len(wrong)
        )  # fmt: skip
        for trait, (a, c), chance in zip(different.values(), counts, chances, strict=True):
            yield Tested(trait, a, len(wrong), c, len(right), min(1.0, float(chance) * looks))


def _offered(rows: Sequence[Facts]) -> Iterator[tuple[Trait, set[int]]]:
    """Traits and the rows that they are true of, the plainest first."""
    yield from _values(rows)
    for of in ("asked", "answer"):
        for length in _lengths([row.length if of == "asked" else row.answer_words for row in rows], of):
            yield length, _held(rows, length.holds)
    for mark in (HasMark(mark=one) for one in MARKS):
        yield mark, _held(rows, mark.holds)
    words: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        for word in row.vocabulary:
            words[word].add(row.place)
    for word in sorted(words):
        yield HasWord(words=(word,)), words[word]


def _values(rows: Sequence[Facts]) -> Iterator[tuple[Trait, set[int]]]:
    for source in sorted({row.source for row in rows if row.source}):
        origin = FromSource(source=source)
        yield origin, _held(rows, origin.holds)
    columns: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.columns.items():
            columns[name][value] += 1
    for name in sorted(columns):
        if len(columns[name]) <= MOST_VALUES:
            for value in sorted(columns[name]):
                one = ColumnIs(column=name, value=value)
                yield one, _held(rows, one.holds)


def _lengths(counts: Sequence[int | None], of: str) -> Iterator[Length]:
    """At the quantiles of all rows: fewer words than the lower ones, more than the upper ones."""
    known = sorted(count for count in counts if count is not None)
    if not known:
        return
    at = [known[min(len(known) - 1, int(share * len(known)))] for share in QUANTILES]
    for count in sorted(set(at[:3])):
        yield Length.model_validate({"of": of, "fewer_than": count})
    for count in sorted(set(at[2:])):
        yield Length.model_validate({"of": of, "more_than": count})


def _held(rows: Sequence[Facts], holds: Callable[[Facts], bool]) -> set[int]:
    return {row.place for row in rows if holds(row)}
