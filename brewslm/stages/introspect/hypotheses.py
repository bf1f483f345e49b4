"""How a source could be mapped: one rule for each mapper, each with its confidence and its reasons."""

from collections.abc import Callable, Sequence
from typing import Any

from brewslm.stages.introspect.columns import ColumnSignature
from brewslm.stages.introspect.rules_columns import audio, classification, image, safety, text_only
from brewslm.stages.introspect.rules_lists import bio, chat, fields
from brewslm.stages.introspect.rules_pairs import preference, qa, rag, seq2seq
from brewslm.stages.introspect.sample import Sample
from brewslm.stages.introspect.shape import DOUBT, GUESS, ShapeHypothesis

_CLOSE = 0.10

__all__ = ["ShapeHypothesis", "hypotheses"]


def hypotheses(signatures: Sequence[ColumnSignature], rows: Sequence[dict[str, Any]]) -> list[ShapeHypothesis]:
    """Every mapping that the columns allow, the surest first; of two as sure, the one that takes more columns into account."""
    sample = Sample(signatures, rows)
    found = [hypothesis for rule in _RULES if (hypothesis := rule(sample)) is not None]
    return _humbled(sorted(found, key=lambda hypothesis: -hypothesis.confidence))


def _humbled(ranked: list[ShapeHypothesis]) -> list[ShapeHypothesis]:
    """The list, its head less sure where another mapping is nearly as likely and reads something else."""
    for rival in ranked[1:]:
        top = ranked[0]
        if top.confidence - rival.confidence < _CLOSE and not _columns(rival) <= _columns(top):
            warning = f"{rival.mapper_id} would fit nearly as well"
            confidence = max(rival.confidence, round(top.confidence - DOUBT, 2))
            return [
                top.model_copy(update={"confidence": min(confidence, GUESS), "warnings": [*top.warnings, warning]}),
                *ranked[1:],
            ]
    return ranked


def _columns(hypothesis: ShapeHypothesis) -> set[str]:
    return {column for entry in hypothesis.field_map.values() for column in entry.split(",")}


_RULES: tuple[Callable[[Sample], ShapeHypothesis | None], ...] = (
    bio,
    preference,
    chat,
    audio,
    image,
    fields,
    rag,
    qa,
    seq2seq,
    safety,
    classification,
    text_only,
)
