"""Read-only views of what can be imported and how: connectors, samples, mappers."""

from typing import Literal

from pydantic import BaseModel

from brewslm.mappers import MAPPERS
from brewslm.plugins import broken
from brewslm.sources import CONNECTORS
from brewslm.sources.catalogue import samples


class ConnectorView(BaseModel):
    """A scheme of source locators, or one sample of the scheme `sample`.

    Attributes:
        problem: Why a plugin of this name could not be loaded; nothing else of it is known then.
    """

    scheme: str
    grammar: str
    meaning: str
    licence: str | None = None
    package: str | None = None
    problem: str | None = None


class FieldView(BaseModel):
    """A field of a mapper, and the column names that it is guessed from."""

    meaning: str
    required: bool
    names: tuple[str, ...]


class MapperView(BaseModel):
    """A mapper.

    Attributes:
        problem: Why a plugin of this name could not be loaded; nothing else of it is known then.
    """

    id: str
    target_task_profile: str
    meaning: str
    fields: dict[str, FieldView]
    options: dict[str, str]
    problem: str | None = None


def connectors() -> list[ConnectorView]:
    """Every scheme, then every sample, then the plugins that could not be loaded."""
    schemes = [ConnectorView(scheme=one.scheme, grammar=one.grammar, meaning=one.meaning) for one in CONNECTORS.values()]
    return (
        schemes
        + [
            ConnectorView(
                scheme="sample", grammar=f"sample:{name}", meaning=one.meaning, licence=one.licence, package=str(one.package)
            )
            for name, one in samples().items()
        ]
        + [
            ConnectorView(scheme="", grammar=name, meaning=problem, problem=problem)
            for name, problem in broken_plugins("sources")
        ]
    )


def mappers() -> list[MapperView]:
    """Every mapper, then the plugins that could not be loaded."""
    known = [
        MapperView(
            id=one.id, target_task_profile=one.task_profile, meaning=one.meaning, options=dict(one.options),
            fields={
                name: FieldView(meaning=field.meaning, required=field.required, names=tuple(field.names))
                for name, field in one.fields.items()
            },
        )
        for one in MAPPERS.values()
    ]  # fmt: skip
    return known + [
        MapperView(id=name, target_task_profile="", meaning=problem, fields={}, options={}, problem=problem)
        for name, problem in broken_plugins("mappers")
    ]


def broken_plugins(kind: Literal["sources", "mappers"]) -> list[tuple[str, str]]:
    """Entry point and problem of each plugin that could not be loaded. All of them are loaded for it."""
    (CONNECTORS if kind == "sources" else MAPPERS).plugins()
    return [(failed.entry_point, failed.error) for failed in broken(f"brewslm.{kind}")]
