"""One row through a mapper, as a block of its own."""

from typing import Any

from brewslm.mappers import mapper_of
from brewslm.rows import RejectedRow, RowBlock


def map_one(name: str, field_map: dict[str, str], values: dict[str, Any]) -> dict[str, Any] | RejectedRow:
    """Its payload, or the row as it is rejected: exactly one of the two."""
    rows, rejected = mapper_of(name, field_map).map_block(RowBlock([1], [values]))
    ((position, outcome),) = [*zip(rows.positions, rows.payloads, strict=True), *((row.position, row) for row in rejected)]
    assert position == 1
    return outcome
