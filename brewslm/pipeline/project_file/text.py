"""A project file's text: YAML without its traps, each value with the line where it stands.

Read are mappings, lists, texts, numbers, true, false and null, as YAML 1.2 has them: `no` is a text, and so is `1:30`. Anchors,
aliases, tags, a key that is there twice and a second document are refused.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from brewslm.errors import StageError
from brewslm.reasons.refusals import FileProblem, ProjectFileInvalid

Place = tuple[str | int, ...]
"""Keys and positions from the top of the file to a value."""
MOST_BYTES = 256 * 1024
MOST_DEEP = 20
_BREAKS = re.compile("[\r\n\x85\u2028\u2029\ufeff]")
_INT, _FLOAT = r"[-+]?(?:0|[1-9][0-9]*)", r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?"


_TOO_LARGE = f"it is larger than {MOST_BYTES // 1024} KiB"
_ANOTHER = "Name a project file; brewslm project export --out brewslm.yaml writes one."


class _Loader(yaml.SafeLoader):
    """Its own list of what a plain word can be other than a text: a part of what YAML 1.1 and 1.2 agree about."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Dumper(yaml.SafeDumper):
    """Lists stand indented under their key; nothing is ever an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _written(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """In double quotes where a line break of Unicode stands: in others, PyYAML reads it as a blank."""
    style = '"' if _BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _written)


@dataclass
class Parsed:
    """A text's value, and where in the text its parts begin: line and column, from 1."""

    value: Any
    places: dict[Place, tuple[int, int]] = field(default_factory=dict)

    def at(self, place: Place) -> tuple[int, int] | tuple[None, None]:
        """Where a part stands, or else the nearest one around it."""
        while place not in self.places:
            if not place:
                return None, None
            place = place[:-1]
        return self.places[place]


def read_file(path: Path) -> str:
    """The text of a file.

    Raises:
        StageError(ProjectFileInvalid): It is not there, too large, or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise _refused(path.name, _TOO_LARGE, next_step=_ANOTHER)
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise _refused(path.name, cause or type(error).__name__, next_step=_ANOTHER) from None


def parse(text: str) -> Parsed:
    """The value of a text.

    Raises:
        StageError(ProjectFileInvalid): It is no YAML, or more of it than a project file may be.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _refused("", _TOO_LARGE)
    try:
        _check_events(text)
        parsed = Parsed(None)
        node = yaml.compose(text, Loader=_Loader)
        parsed.value = None if node is None else _value(_Loader(""), node, (), parsed)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused("", f"it is no YAML: {error.problem or error.context}", mark) from None
    except yaml.YAMLError as error:  # a character that may not stand in a text
        raise _refused("", f"it is no YAML: {str(error).splitlines()[0]}", next_step=_ANOTHER) from None
    return parsed


def dump(value: dict[str, Any], head: str = "") -> str:
    """The text of plain values, which `parse` reads back as they are.

    Args:
        head: Lines of a comment.
    """
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


def refused(problems: list[FileProblem], name: str = "") -> StageError:
    """A refusal that names every problem, the first one in full."""
    first = problems[0]
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    said = {"next_step": first.next_step} if first.next_step else {}
    where = ", ".join(part for part in (first.position, first.where) if part)
    what = f"{name or 'The project file'} can't be used"
    return StageError(ProjectFileInvalid(problems=problems), what, where=where, cause=first.cause + more, **said)


def _refused(name: str, cause: str, mark: Any = None, place: Place = (), next_step: str = "") -> StageError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    where = ".".join(str(part) for part in place)
    return refused([FileProblem(line=line, column=column, where=where, cause=cause, next_step=next_step)], name)


def _check_events(text: str) -> None:
    """Read on before anything is built: what could make a small text large, or deep, is told where it stands."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            cause = "an alias (*) is not read here; a text that begins with * stands in quotes"
            raise _refused("", cause, event.start_mark)
        if getattr(event, "anchor", None):
            cause = "an anchor (&) is not read here; a text that begins with & stands in quotes"
            raise _refused("", cause, event.start_mark)
        if getattr(event, "tag", None):
            raise _refused("", "a tag (!) is not read here; a text that begins with ! stands in quotes", event.start_mark)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEEP:
            raise _refused("", f"it is nested more than {MOST_DEEP} deep", event.start_mark)
        if documents > 1:
            raise _refused("", "a second document begins", event.start_mark)


def _value(loader: _Loader, node: yaml.Node, place: Place, parsed: Parsed) -> Any:
    parsed.places.setdefault(place, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.ScalarNode):
        try:
            return loader.construct_object(node)
        except ValueError as error:  # a number of more digits than Python reads
            raise _refused("", str(error).partition(":")[0], node.start_mark, place) from None
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, one, (*place, number), parsed) for number, one in enumerate(node.value)]
    made: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("", "a key must be one word", key.start_mark, place)
        if key.value in made:
            raise _refused("", f"{key.value} is there twice", key.start_mark, (*place, key.value))
        parsed.places[(*place, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
        made[key.value] = _value(loader, value, (*place, key.value), parsed)
    return made
