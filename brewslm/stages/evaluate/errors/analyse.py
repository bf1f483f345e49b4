"""From answers to error clusters, top to bottom. The same rows and answers give the same clusters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brewslm.handlers.base import TaskHandler
from brewslm.handlers.faults import Rank
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.evaluate.errors.analysis import Cluster, ErrorAnalysis, Exemplar, TraitFigures, shortened
from brewslm.stages.evaluate.errors.conditions import HasWord
from brewslm.stages.evaluate.errors.facts import Facts, facts_of
from brewslm.stages.evaluate.errors.grouping import Group, groups_of
from brewslm.stages.evaluate.errors.meaning import Meanings, Reader
from brewslm.stages.evaluate.errors.traits import FEWEST, HOLDS, Tested, Traits
from brewslm.stages.evaluate.errors.words import error_words, fault_step, is_open

EXEMPLARS = 3
QUOTE, ANSWER = 140, 80
"""Characters that are shown of what was asked, and of an answer."""
FEW_RIGHT = 20


def analyse(
    handler: TaskHandler,
    rows: Sequence[PreparedRow],
    lines: Iterable[dict[str, Any]],
    sources: Mapping[str, str],
    system: str = "tuned",
    reader: Reader | None = None,
) -> ErrorAnalysis:
    """Cluster what one system got wrong.

    Args:
        lines: Of predictions-<system>.jsonl, one a row, in the same order.
        sources: A row_id's source part → the source's name.
        reader: Reads what texts mean; the better one that there is when left out.
    """
    if all(handler.expected(row.payload) is None for row in rows):
        note = "no row of this task is right or wrong"
        return ErrorAnalysis(system=system, n=len(rows), wrong=0, note=note, clusters=[])
    facts = facts_of(handler, rows, lines, sources)
    wrong = [row for row in facts if not row.correct]
    groups, meanings = groups_of(wrong), Meanings(reader)
    traits = Traits(facts, looks=sum(len(group.rows) >= FEWEST for group in groups))
    parts = [part for group in groups for part in _Split(group, facts, traits, meanings).parts()]
    parts.sort(key=lambda part: (-len(part.rows), part.name))
    tried = len(traits.where)
    clusters = [_cluster(f"c{number}", part, facts, len(wrong), tried) for number, part in enumerate(parts, 1)]
    return ErrorAnalysis(
        system=system, n=len(facts), wrong=len(wrong), note=_note(len(facts) - len(wrong), len(wrong)), reader=meanings.reader,
        clusters=clusters,
    )  # fmt: skip


def _note(right: int, wrong: int) -> str:
    if wrong and right < FEW_RIGHT:
        return f"{right} rows are wholly right: too few to tell what the wrong ones have in common"
    return ""


@dataclass(frozen=True)
class _Part:
    """Rows that become a cluster, in the order in which they are shown as examples."""

    group: Group
    rows: list[Facts]
    by: str
    compared: list[Facts]
    found: Tested | None = None
    is_rest: bool = False

    @property
    def name(self) -> str:
        """What can be checked of the rows."""
        outcome = self.group.outcome.said
        if self.found is not None:
            return f"{outcome}; {self.found.trait.said}"
        if self.group.fault.rank == Rank.GENERAL:
            return f"{error_words().no_trait} ({outcome})"
        return f"{outcome}; others" if self.is_rest else outcome


class _Split:
    """One group taken apart by traits, and what is left of it by meaning."""

    def __init__(self, group: Group, facts: Sequence[Facts], traits: Traits, meanings: Meanings) -> None:
        strata = {row.stratum for row in group.rows}
        self._group, self._traits, self._meanings = group, traits, meanings
        self._compared = [row for row in facts if row.correct and row.stratum in strata]
        self._right = {row.place for row in self._compared}

    def parts(self) -> list[_Part]:
        """Each row of the group in one part."""
        found, left = [], list(self._group.rows)
        while len(left) >= FEWEST and (best := self._traits.best({row.place for row in left}, self._right)):
            held = self._traits.where[best.trait]
            whole = best.wrong >= HOLDS * len(left)
            taken = left if whole else [row for row in left if row.place in held]
            found.append(self._part(sorted(taken, key=lambda row: row.place not in held), "trait", best))
            left = [] if whole else [row for row in left if row.place not in held]
        found += self._by_meaning(left) if left else []
        return [replace(part, is_rest=len(found) > 1) for part in found]

    def _by_meaning(self, rows: list[Facts]) -> list[_Part]:
        if not is_open(self._group.fault.kind):
            return [self._part(rows, "fault")]
        clusters = self._meanings.clusters(rows)
        if len(clusters) == 1:
            return [self._part(rows, "fault")]
        everyone = {row.place for row in rows}
        named: list[_Part] = []
        others: list[_Part] = []
        for cluster in clusters:
            words = self._traits.best_words({row.place for row in cluster}, everyone, self._right)
            (named if words else others).append(self._part(cluster, "meaning", words))
        if self._group.fault.rank < Rank.GENERAL and others:  # the fault is a name already
            kept = {row.place for part in others for row in part.rows}
            others = [self._part([row for row in rows if row.place in kept], "fault")]
        return named + others

    def _part(self, rows: list[Facts], by: str, found: Tested | None = None) -> _Part:
        return _Part(self._group, rows, by, self._compared, found)


def _cluster(id: str, part: _Part, facts: Sequence[Facts], wrong: int, tried: int) -> Cluster:
    outcome, right = part.group.outcome, [row for row in facts if row.correct]
    trait = part.found.trait if part.found else None
    conditions = [outcome, *([trait] if trait else [])]
    strata = sorted({row.stratum for row in part.rows})
    alike = [row for row in facts if row.stratum in strata]
    steps = [fault_step(outcome.fault, outcome.subject), *([error_words().trait] if trait else [])]
    around = trait.words[0] if isinstance(trait, HasWord) else ""
    return Cluster.model_validate({
        "id": id, "name": part.name, "outcome": outcome, "trait": _figures(part, right), "conditions": conditions, "by": part.by,
        "rows": len(part.rows), "share": len(part.rows) / wrong,
        "holds": _share([all(one.holds(row) for one in conditions) for row in part.rows]),
        "among_right": _share([all(one.holds(row) for one in conditions) for row in right]),
        "of_rows": len(alike), "sort": strata[0] if len(strata) == 1 and len(alike) < len(facts) else "", "traits_tried": tried,
        "next_step": " ".join(steps), "exemplars": [_exemplar(row, around) for row in part.rows[:EXEMPLARS]],
        "row_ids": [row.row_id for row in sorted(part.rows, key=lambda row: row.place)],
    })  # fmt: skip


def _figures(part: _Part, right: Sequence[Facts]) -> TraitFigures | None:
    if part.found is None:
        return None
    trait = part.found.trait
    return TraitFigures(
        condition=trait, said=trait.said, holds=_share([trait.holds(row) for row in part.rows]),
        among_right=_share([trait.holds(row) for row in right]), compared_with=len(part.compared),
        among_compared=_share([trait.holds(row) for row in part.compared]), p_value=part.found.p_value,
    )  # fmt: skip


def _share(true: Sequence[bool]) -> float:
    return sum(true) / len(true) if true else 0.0


def _exemplar(row: Facts, around: str) -> Exemplar:
    return Exemplar(
        row_id=row.row_id, quote=shortened(row.text, QUOTE, around),
        expected=shortened(row.expected, ANSWER), output=shortened(row.output, ANSWER),
    )  # fmt: skip
