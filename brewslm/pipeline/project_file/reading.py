"""From a text to a project file, or to everything that is wrong with it, line by line."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol, get_args

from pydantic import BaseModel, ValidationError

from brewslm.errors import StageError
from brewslm.pipeline.project_file.checks import checks
from brewslm.pipeline.project_file.schema import SECTIONS, VERSION, ProjectFile
from brewslm.pipeline.project_file.section import Section
from brewslm.pipeline.project_file.text import Parsed, Place, parse, read_file, refused
from brewslm.reasons.refusals import FileProblem, ProjectFileInvalid
from brewslm.reasons.shown import shown_locator
from brewslm.sources import names_a_path

_LOCATORS: tuple[Place, ...] = (("sources", 0, "locator"), ("project", "base_model"), ("train", "base_model"))
_NAMES: tuple[Place, ...] = (("prepare", "adapter"), ("evaluate", "eval_pack"))
_FILES: tuple[Place, ...] = (("evaluate", "judge", "labels"),)
_DOCUMENTS: tuple[Place, ...] = (("documents", "paths", 0),)
"""Places of what may lead to a file; 0 stands for every entry of a list."""


class Paths(Protocol):
    """From where the paths of a file start, and whether they may be followed."""

    def locator(self, locator: str) -> str:
        """A locator whose path, if it has one, is whole."""

    def name(self, name: str) -> str:
        """A preset's name as it is, or the whole path of a file of one's own."""

    def file(self, path: str) -> str:
        """The whole path of a file."""


class Beside:
    """Paths start from the folder of the file, wherever the command is typed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def locator(self, locator: str) -> str:
        """As `Paths`."""
        scheme, colon, reference = locator.partition(":")
        if colon and reference and (scheme == "path" or names_a_path(scheme)):
            return f"{scheme}:{self.file(reference)}"
        return locator

    def name(self, name: str) -> str:
        """As `Paths`."""
        return self.file(name) if name.endswith((".yaml", ".yml")) else name

    def file(self, path: str) -> str:
        """As `Paths`."""
        try:
            return str(self._folder / Path(path).expanduser())
        except RuntimeError:  # there is no such user: then there is no such file either
            return str(self._folder / path)


class Within:
    """The other way round: paths inside a folder are written from there, so that the folder can be moved, or shared."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder.absolute(), folder.resolve())

    def locator(self, locator: str) -> str:
        """As `Paths`; and without what may be secret in an address."""
        scheme, colon, reference = locator.partition(":")
        if colon and (scheme == "path" or names_a_path(scheme)):
            return f"{scheme}:{self.file(reference)}"
        return shown_locator(locator)

    def name(self, name: str) -> str:
        """As `Paths`."""
        return self.file(name) if name.endswith((".yaml", ".yml")) else name

    def file(self, path: str) -> str:
        """As `Paths`."""
        return next((str(Path(path).relative_to(one)) for one in self._folders if Path(path).is_relative_to(one)), path)


def load_file(path: Path) -> ProjectFile:
    """A file of this machine's owner.

    Raises:
        StageError(ProjectFileInvalid): With every problem, each at its line.
    """
    return load(read_file(path), Beside(path.parent), path.name)


def load(text: str, paths: Paths, name: str = "") -> ProjectFile:
    """A file's text, checked against its schema and against what is known here.

    Raises:
        StageError(ProjectFileInvalid): With every problem, each at its line; a path that `paths` does not let be followed is one.
    """
    parsed = parse(text)
    shape = [*_nuls(parsed), *_nulls(parsed)] or list(_with_paths(parsed, paths))
    try:
        file = ProjectFile.model_validate(parsed.value if parsed.value is not None else {})
    except ValidationError as error:
        raise refused(_in_order(shape + _problems(parsed, error.errors(include_url=False))), name) from None
    if shape:
        raise refused(_in_order(shape), name)
    found = [_told(parsed, place, problem) for place, problem in checks(file)]
    if found:
        raise refused(_in_order(found), name)
    return file


def problems_of(text: str, paths: Paths) -> list[FileProblem]:
    """Everything that is wrong with a text; none of one that can be applied."""
    try:
        load(text, paths)
    except StageError as error:
        if not isinstance(error.reason, ProjectFileInvalid):
            raise
        return list(error.reason.problems)
    return []


def _in_order(problems: list[FileProblem]) -> list[FileProblem]:
    return sorted(problems, key=lambda one: (one.line or 0, one.column or 0))


def _with_paths(parsed: Parsed, paths: Paths) -> Iterator[FileProblem]:
    """Make every path whole, in place; what is no text is left for the schema to tell of."""
    for holder, at, rule in _paths(parsed.value, paths):
        try:
            holder[at[-1]] = rule(holder[at[-1]])
        except StageError as error:
            yield _told(parsed, at, error)


def within(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Plain values with their paths written from a folder, changed in place."""
    for holder, at, rule in list(_paths(value, Within(folder))):
        holder[at[-1]] = rule(holder[at[-1]])
    return value


def _paths(value: Any, paths: Paths) -> Iterator[tuple[Any, Place, Callable[[str], str]]]:
    """Every text that may lead to a file: what holds it, its place, and the rule for it."""

    def document(name: str) -> str:
        if name.startswith("url:"):
            return paths.locator(name)
        return f"file:{paths.file(name.removeprefix('file:'))}" if name.startswith("file:") else paths.file(name)

    rules = ((_LOCATORS, paths.locator), (_NAMES, paths.name), (_FILES, paths.file), (_DOCUMENTS, document))
    for places, rule in rules:
        for place in places:
            for holder, at in _holders(value, place):
                if isinstance(holder[at[-1]], str):
                    yield holder, at, rule


def _holders(value: Any, place: Place, above: Place = ()) -> Iterator[tuple[Any, Place]]:
    """The mappings or lists that hold the values of a place, each with the value's own place."""
    key, *rest = place
    if key == 0:
        keys: list[Any] = list(range(len(value))) if isinstance(value, list) else []
    else:
        keys = [key] if isinstance(value, dict) and key in value else []
    for one in keys:
        if rest:
            yield from _holders(value[one], tuple(rest), (*above, one))
        else:
            yield value, (*above, one)


def _nuls(parsed: Parsed) -> Iterator[FileProblem]:
    """A NUL can stand in no path, and in nothing else that a file names."""
    for place, (line, column) in parsed.places.items():
        value = parsed.value
        for key in place:
            value = value[key]
        if isinstance(value, str) and "\0" in value:
            yield FileProblem(line=line, column=column, where=_dotted(place), cause="it holds a NUL character")


def _nulls(parsed: Parsed) -> Iterator[FileProblem]:
    for name, value in parsed.value.items() if isinstance(parsed.value, dict) else ():
        if value is None and name in ProjectFile.model_fields:
            line, column = parsed.at((name,))
            empty = "{}" if name in SECTIONS else "[]"
            cause = f"it has no value: write {name}: {empty} for what goes without saying, or leave the line out"
            yield FileProblem(line=line, column=column, where=name, cause=cause)


def _problems(parsed: Parsed, errors: list[Any]) -> list[FileProblem]:
    """A mistyped key explains one that is missing beside it: then that is not told too."""
    typed = {(*one["loc"][:-1], _meant(one["loc"])) for one in errors if one["type"] == "extra_forbidden"}
    return [_problem(parsed, one) for one in errors if not (one["type"] == "missing" and one["loc"] in typed)]


def _meant(place: Place) -> str:
    return next(iter(get_close_matches(str(place[-1]), _keys_at(ProjectFile, place[:-1]), 1)), "")


def _problem(parsed: Parsed, error: Any) -> FileProblem:
    place: Place = error["loc"]
    if error["type"] == "missing":
        line, column = parsed.at(place[:-1])
    else:
        line, column = parsed.at(place)
    cause = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        close, known = _meant(place), ", ".join(_keys_at(ProjectFile, place[:-1]))
        cause = f"there is no key {place[-1]} here; " + (f"did you mean {close}?" if close else f"known: {known}")
    elif place == ("contract_version",) or (error["type"] == "missing" and place[-1] == "contract_version"):
        cause = f"a project file begins with contract_version: {VERSION}"
    elif error["type"] == "missing":
        cause = f"{place[-1]} is missing"
    return FileProblem(line=line, column=column, where=_dotted(place), cause=cause)


def _told(parsed: Parsed, place: Place, error: StageError) -> FileProblem:
    line, column = parsed.at(place)
    cause = "; ".join(part for part in (error.what, error.where, error.cause) if part)
    return FileProblem(line=line, column=column, where=_dotted(place), cause=cause, next_step=error.next_step)


def _dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _keys_at(kind: Any, place: Place, section: Section | None = None) -> list[str]:
    """The keys that may stand at a place."""
    model, found = _unwrapped(kind)
    section = found or section
    if isinstance(model, type) and issubclass(model, BaseModel):
        if place:
            field = model.model_fields.get(str(place[0]))
            given = next((one for one in (field.metadata if field else ()) if isinstance(one, Section)), None)
            return _keys_at(field.annotation, place[1:], given) if field else []
        return [name for name in model.model_fields if section is None or name not in section.left_out]
    parts = get_args(model)
    return _keys_at(parts[0], place[1:]) if place and isinstance(place[0], int) and parts else []


def _unwrapped(kind: Any) -> tuple[Any, Section | None]:
    """A type out of its Annotated and its Optional, and the section that it is."""
    section = next((one for one in getattr(kind, "__metadata__", ()) if isinstance(one, Section)), None)
    if hasattr(kind, "__metadata__"):
        return _unwrapped(kind.__origin__)[0], section
    parts = [one for one in get_args(kind) if one is not type(None)]
    if type(None) in get_args(kind) and len(parts) == 1:
        return _unwrapped(parts[0])
    return kind, section
