"""The layouts of real datasets, from the YAML files of `real/`.

Names and types of the columns are the datasets' own; the rows are made here. A column's value is described by

- the name of a maker (`sentence`), with an argument where it takes one (`file jpg`);
- a list: one of these values; `{classes: 77}`: one of 77 whole numbers; `{names: 77}`: one of 77 names;
- `{object: {key: …}}`, `{list: …, of: 3}`, `{words: [NN, VB]}` (one a token of `tokens`), `{sometimes: …, every: 3}`.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.layouts import makers
from bench.layouts.layout import Layout, Slice
from bench.layouts.makers import Maker

FOLDER = Path(__file__).parent / "real"
_TALKS: dict[str, Maker] = {
    "chat": makers.talk(),
    "chat_with_system": makers.talk(system=True),
    "chat_with_bot": makers.talk(you="bot"),
    "sharegpt": makers.talk("from", "value", "human", "gpt"),
    "bio": makers.tags(),
    "good_talk": makers.answered("good"),
    "bad_talk": makers.answered("bad"),
}


def real_layouts() -> list[Layout]:
    """All of them, in the order of the files' names."""
    return [layout for path in sorted(FOLDER.glob("*.yaml")) for layout in _of(path)]


def _of(path: Path) -> list[Layout]:
    held: dict[str, Any] = yaml.safe_load(path.read_text())
    return [_layout(name, entry, held["part"], held["seen"]) for name, entry in held["layouts"].items()]


def _layout(name: str, entry: dict[str, Any], part: Slice, seen: str) -> Layout:
    columns = {str(column): _maker(described) for column, described in entry["columns"].items()}
    mapper, field_map = next(iter(entry["right"].items())) if isinstance(entry["right"], dict) else (None, None)
    return Layout(name, columns, mapper, field_map, entry.get("csv", False), part, entry.get("seen", seen))


def _maker(described: Any) -> Maker:
    match described:
        case str():
            return _named(described)
        case list():
            return makers.one_of(*described)
        case {"classes": int(count)}:
            return makers.one_of(*range(count))
        case {"names": int(count)}:
            return makers.one_of(*(f"kind_{number}" for number in range(count)))
        case {"object": dict(keys)}:
            inside = {key: _maker(value) for key, value in keys.items()}
            return lambda n: {key: maker(n) for key, maker in inside.items()}
        case {"list": item, **rest}:
            maker, count = _maker(item), rest.get("of", 3)
            return lambda n: [maker(7 * n + place) for place in range(1 + n % count if rest.get("up_to") else count)]
        case {"words": list(tags)}:
            return lambda n: [tags[(n + place) % len(tags)] for place, _ in enumerate(makers.tokens(n))]
        case {"sometimes": item, "every": int(every)}:
            return makers.sometimes(_maker(item), every)
    raise ValueError(f"no such column: {described!r}")


@cache
def _named(described: str) -> Maker:
    name, _, argument = described.partition(" ")
    found = _TALKS.get(name) or getattr(makers, name)
    return found(argument) if argument else found
