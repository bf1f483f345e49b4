"""Presets: YAML files beside this one, read with the same strict schemas as a user's own files."""

from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from brewslm.errors import StageError
from brewslm.reasons.base import Refusal
from brewslm.reasons.refusals import InvalidRequest

M = TypeVar("M", bound=BaseModel)
FOLDER = Path(__file__).parent


def read_preset(name: str) -> Any:
    """The value of `presets/<name>.yaml`."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def names(kind: str) -> list[str]:
    """The ids of all presets of a kind, such as "recipes"."""
    return sorted(file.stem for file in (FOLDER / kind).glob("*.yaml"))


def load(kind: str, name: str, schema: type[M]) -> M:
    """One preset, checked.

    Raises:
        StageError(InvalidRequest): There is none of this name, or a key or value of it is not one the schema knows.
    """
    if name not in names(kind):
        raise StageError(
            InvalidRequest(), f"{kind[:-1].replace('_', ' ')} {name} is not known", cause=f"known: {', '.join(names(kind))}"
        )
    return checked(read_preset(f"{kind}/{name}"), schema, f"{kind}/{name}.yaml")


def checked(value: Any, schema: type[M], where: str, reason: type[Refusal] = InvalidRequest) -> M:
    """The value as its schema, with a did-you-mean for a key that is not one of it.

    Args:
        reason: What a value that does not fit is refused with.

    Raises:
        StageError(InvalidRequest): It does not fit the schema.
    """
    from difflib import get_close_matches

    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a mistyped key explains a missing one
        key = str(first["loc"][-1]) if first["loc"] else ""
        close = get_close_matches(key, _keys(schema), 1) if first["type"] == "extra_forbidden" else []
        hint = f"; did you mean {close[0]}?" if close else ""
        place = ".".join(str(part) for part in first["loc"])
        raise StageError(reason(), f"{where} can't be used", where=place, cause=first["msg"] + hint) from None


def _keys(annotation: Any) -> set[str]:
    """Every key that a schema and the schemas inside it know."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = (_keys(field.annotation) for field in annotation.model_fields.values())
        return set(annotation.model_fields).union(*inner)
    return set().union(*(_keys(part) for part in get_args(annotation)))
