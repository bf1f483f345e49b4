"""The introspection of a source: signatures, ranked hypotheses, and the proposal at their head."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.sources import SourceDescription, SourceHints
from brewslm.sources.base import SampleReach
from brewslm.stages.introspect.columns import ColumnSignature, signature_of
from brewslm.stages.introspect.hypotheses import ShapeHypothesis, hypotheses

CONFIDENCE_HIGH = 0.80
"""A proposal that is less sure is never taken without --force."""


class ProposedMapping(ShapeHypothesis):
    """The hypothesis at the head of the list."""

    needs_force: bool


class Introspection(BaseModel):
    """What a sample of a source says."""

    model_config = ConfigDict(frozen=True)

    source_id: str
    locator: str
    resolved_path: str
    approximate_total_rows: int
    columns: list[str]
    sample_rows: list[dict[str, Any]]
    sampled: int
    """How many rows the judgement rests on: the head's, and those spread through the file."""
    sample_reach: SampleReach
    """Whether those are spread over the whole source, or over its first rows only."""
    notes: list[str]
    """What was found out about how to read the source, such as an encoding."""
    column_signatures: list[ColumnSignature]
    hypotheses: list[ShapeHypothesis]
    proposal: ProposedMapping | None
    """None when no mapper suits the columns."""
    confidence_threshold: float = CONFIDENCE_HIGH


def introspect(source: SourceDescription) -> Introspection:
    """Judge a source by its sample; nothing is decided here."""
    rows = [*source.sample_rows, *source.spread_rows]
    signatures = [signature_of(name, [row.get(name) for row in rows]) for name in source.columns]
    ranked = [_with_hints(hypothesis, source.hints) for hypothesis in hypotheses(signatures, rows)]
    top = ranked[0] if ranked else None
    return Introspection(
        source_id=source.source_id,
        locator=source.locator,
        resolved_path=source.resolved_path,
        approximate_total_rows=source.approximate_total_rows,
        columns=source.columns,
        sample_rows=source.sample_rows,
        sampled=len(rows),
        sample_reach=source.sample_reach,
        notes=source.notes,
        column_signatures=signatures,
        hypotheses=ranked,
        proposal=ProposedMapping(**top.model_dump(), needs_force=top.confidence < CONFIDENCE_HIGH) if top else None,
    )


def _with_hints(hypothesis: ShapeHypothesis, hints: SourceHints | None) -> ShapeHypothesis:
    if hints is None or hints.mapper != hypothesis.mapper_id:
        return hypothesis
    said = ", ".join(f"{name}={value}" for name, value in hints.field_map.items())
    return hypothesis.model_copy(
        update={
            "field_map": hypothesis.field_map | hints.field_map,
            "rationale": f"{hypothesis.rationale}; the sample's catalogue adds {said}",
        }
    )
