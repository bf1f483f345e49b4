"""Wrong rows by what is wrong with their answers: each row in one group."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from brewslm.handlers.faults import Fault, Rank
from brewslm.stages.evaluate.errors.conditions import HasFault
from brewslm.stages.evaluate.errors.facts import Facts

FEWEST = 3
LEAST_SHARE = 0.01
"""A particular fault makes a group from so many rows on, and from this share of the wrong ones; rarer ones go with others."""


class Group(NamedTuple):
    """Rows with one fault in common."""

    fault: Fault
    rows: list[Facts]

    @property
    def outcome(self) -> HasFault:
        """The fault as a condition."""
        return HasFault(fault=self.fault.kind, subject=self.fault.subject)


def groups_of(wrong: Sequence[Facts]) -> list[Group]:
    """Take the fault that most of the remaining rows have, and these rows; then again. The most telling ranks come first.

    A row with several faults goes with the commonest of them. Equally common ones are taken in the order of their names.
    """
    fewest = max(FEWEST, ceil(LEAST_SHARE * len(wrong)))
    groups, left = [], list(wrong)
    steps = [((rank,), 1 if rank in (Rank.USELESS, Rank.GENERAL) else fewest) for rank in Rank]
    for ranks, least in [*steps, (tuple(Rank), 1)]:  # at last, rare particular faults that nothing wider holds
        while commonest := _commonest(left, ranks, least):
            taken = [row for row in left if commonest in row.faults]
            left = [row for row in left if commonest not in row.faults]
            groups.append(Group(commonest, taken))
    return groups


def _commonest(rows: Sequence[Facts], ranks: Sequence[Rank], least: int) -> Fault | None:
    counts = Counter(fault for row in rows for fault in set(row.faults) if fault.rank in ranks)
    best = min(counts, key=lambda fault: (-counts[fault], fault.rank, fault), default=None)
    return best if best is not None and counts[best] >= least else None
