"""What differs between two settings, as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from brewslm.web.parts import Text
from brewslm.web.pieces import Column, table

CELL_CHARACTERS = 200


@dataclass(frozen=True)
class Change:
    """One setting of two: what it was (None: not there), and what it is."""

    name: str
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> list[Change]:
    """What differs between two settings; a nested one is named by its path, such as "lora.r"."""
    found: list[Change] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += changes(old, new, f"{prefix}{name}.")
        elif old != new:
            found.append(Change(f"{prefix}{name}", old, new))
    return found


def config_diff(label: str, found: Sequence[Change], heads: tuple[str, str] = ("Before", "After")) -> None:
    """Two settings side by side: only what differs."""
    if not found:
        Text("p", "Nothing differs.", "empty")
        return
    table(
        label,
        (
            Column("Setting", lambda one: one.name, "mono"),
            Column(heads[0], lambda one: setting(one.before), "mono was"),
            Column(heads[1], lambda one: setting(one.after), "mono is"),
        ),
        found,
    )


def setting(value: Any) -> str:
    """A setting's value as a person reads it; a long one is cut."""
    said = "–" if value is None else value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return said if len(said) <= CELL_CHARACTERS else f"{said[:CELL_CHARACTERS]}…"
