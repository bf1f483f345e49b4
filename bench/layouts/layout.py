"""A column layout and the mapping that is right for it."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from bench.layouts.makers import Maker

WRITTEN_ROWS, REAL_ROWS = 20, 200

Slice = Literal["known", "first", "second", "third", "fourth"]
"""Those thought out here (known), and four slices of real ones, each labelled before its first run.

The first three were learnt from after it: `first_sight.yaml` keeps what it gave. The fourth was not, and is the one held out.
"""
HELD_OUT: Slice = "fourth"


@dataclass(frozen=True)
class Layout:
    """A layout.

    Attributes:
        columns: Column → what makes its value in row n.
        mapper, field_map: What is right; None: nothing may be proposed at 0.80 or more.
        csv: Every cell is a text, lists and objects as JSON.
        seen: Where the layout of a real dataset was seen; "" for one that was thought out here.
    """

    name: str
    columns: dict[str, Maker]
    mapper: str | None = None
    field_map: dict[str, str] | None = None
    csv: bool = False
    part: Slice = "known"
    seen: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """Twenty rows; 200 of a real layout, as many as an introspection samples."""
        count = REAL_ROWS if self.seen else WRITTEN_ROWS
        rows = [{column: maker(n) for column, maker in self.columns.items()} for n in range(count)]
        return [{column: _cell(value) for column, value in row.items()} for row in rows] if self.csv else rows


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
