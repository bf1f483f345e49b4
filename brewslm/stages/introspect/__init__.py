"""Stage 2: what a source's columns are, and how they could be mapped. A read: it writes nothing, not even an event."""

from brewslm.stages.introspect.columns import ColumnSignature, ColumnType, signature_of
from brewslm.stages.introspect.hypotheses import ShapeHypothesis
from brewslm.stages.introspect.proposal import CONFIDENCE_HIGH, Introspection, ProposedMapping, introspect

__all__ = [
    "CONFIDENCE_HIGH",
    "ColumnSignature",
    "ColumnType",
    "Introspection",
    "ProposedMapping",
    "ShapeHypothesis",
    "introspect",
    "signature_of",
]
