"""Rows as a list of cards: where each stood, why it was rejected, and what it says."""

from collections.abc import Iterable
from typing import Any

from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.words import Sign

SAMPLE_CHARACTERS = 400


def sample_rows(rows: Iterable[dict[str, Any]], committed: bool = False) -> None:
    """Accepted or rejected rows; a committed row's id leads to its passport."""
    with box("ol", "samples"):
        for row in rows:
            _row(row, committed)


def _row(row: dict[str, Any], committed: bool) -> None:
    with box("li", "sample"):
        with box("p", "event-head"):
            Text("span", f"row {row['position']:,}", "muted figure")
            if committed:
                link(row["row_id"], f"/rows/{row['row_id']}", "mono")
            else:
                Text("span", row["row_id"], "mono muted")
            if row.get("reason"):
                Badge(Sign("needs", row["reason"]))
                Text("span", row["detail"] or "", "muted")
        values_list(row["raw"] if row.get("reason") else row["payload"])


def values_list(values: dict[str, Any]) -> None:
    """A row's values, by name; a long one is cut."""
    with box("dl", "values"):
        for name, value in values.items():
            said = value if isinstance(value, str) else str(value)
            Text("dt", name)
            Text("dd", said if len(said) <= SAMPLE_CHARACTERS else f"{said[:SAMPLE_CHARACTERS]}…", "mono")
