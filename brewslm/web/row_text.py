"""What a row says, short enough for a table, with what was looked for marked."""

import re
from typing import Any

from brewslm.observe.row_pages import RowItem
from brewslm.web.parts import Text, box

CHARACTERS = 240
VALUES_SHOWN = 4


def row_text(row: RowItem, sought: str | None = None) -> None:
    """Its values by name, the labels left out, each cut around what was looked for."""
    if row.is_forgotten:
        Text("span", "its text was removed", "muted")
        return
    said = {name: value for name, value in row.values.items() if value not in (row.labels, *row.labels)} or row.values
    for number, (name, value) in enumerate(said.items()):
        if number == VALUES_SHOWN:
            Text("p", f"and {len(said) - VALUES_SHOWN} more values", "muted")
            break
        with box("p", "row-value"):
            if len(said) > 1:
                Text("span", f"{name} ", "muted")
            text = _plain(value)
            if text.strip():
                marked(text, sought)
            else:
                Text("span", "empty", "muted")


def marked(said: str, sought: str | None) -> None:
    """A text with the places marked that hold what was looked for; a long one is cut around the first."""
    found = re.search(re.escape(sought), said, re.IGNORECASE) if sought else None
    start = max(0, found.start() - CHARACTERS // 2) if found and found.end() > CHARACTERS else 0
    piece = said[start : start + CHARACTERS]
    pieces = re.split(f"({re.escape(sought)})", piece, flags=re.IGNORECASE) if found and sought else [piece]
    pieces[0] = ("…" if start else "") + pieces[0]
    pieces[-1] += "…" if start + CHARACTERS < len(said) else ""
    for place, each in enumerate(pieces):
        if each:
            Text("mark" if place % 2 else "span", each)


def _plain(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, dict) and "content" in one for one in value):
        return " · ".join(f"{one.get('role', '')}: {one['content']}" for one in value)
    return value if isinstance(value, str) else str(value)
