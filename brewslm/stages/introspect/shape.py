"""One way to map a source, and how sure it is."""

from pydantic import BaseModel, ConfigDict

from brewslm.mappers import MAPPERS

HIGHEST = 0.95
GUESS = 0.75
"""Of a mapping for which the names of the columns speak only in part."""
DOUBT = 0.20
"""What one thing that speaks against a mapping takes away: alone it makes the surest one a proposal that needs --force."""


class ShapeHypothesis(BaseModel):
    """One way to map a source.

    Attributes:
        confidence: 0 to 1; a proposal under 0.80 needs --force.
        rationale: What in the columns speaks for it.
        warnings: What speaks against it, or should be looked at.
    """

    model_config = ConfigDict(frozen=True)

    mapper_id: str
    target_task_profile: str
    field_map: dict[str, str]
    confidence: float
    rationale: str
    warnings: list[str] = []


def shape(mapper_id: str, field_map: dict[str, str], confidence: float, rationale: str, warnings: list[str]) -> ShapeHypothesis:
    """A hypothesis for a mapper, its confidence held between 0.05 and 0.95."""
    return ShapeHypothesis(
        mapper_id=mapper_id,
        target_task_profile=MAPPERS[mapper_id].task_profile,
        field_map=field_map,
        confidence=round(max(0.05, min(confidence, HIGHEST)), 2),
        rationale=rationale,
        warnings=warnings,
    )
