"""Read-only views of what can be imported and how: connectors, samples, mappers."""

from pydantic import BaseModel

from brewslm.mappers import MAPPERS
from brewslm.sources import CONNECTORS
from brewslm.sources.catalogue import samples


class ConnectorView(BaseModel):
    """A scheme of source locators, or one sample of the scheme `sample`."""

    scheme: str
    grammar: str
    meaning: str
    licence: str | None = None
    package: str | None = None


class FieldView(BaseModel):
    """A field of a mapper, and the column names that it is guessed from."""

    meaning: str
    required: bool
    names: tuple[str, ...]


class MapperView(BaseModel):
    """A mapper."""

    id: str
    target_task_profile: str
    meaning: str
    fields: dict[str, FieldView]
    options: dict[str, str]


def connectors() -> list[ConnectorView]:
    """Every scheme, then every sample."""
    schemes = [ConnectorView(scheme=one.scheme, grammar=one.grammar, meaning=one.meaning) for one in CONNECTORS.values()]
    return schemes + [
        ConnectorView(
            scheme="sample", grammar=f"sample:{name}", meaning=one.meaning, licence=one.licence, package=str(one.package)
        )
        for name, one in samples().items()
    ]


def mappers() -> list[MapperView]:
    """Every mapper."""
    return [
        MapperView(
            id=one.id, target_task_profile=one.task_profile, meaning=one.meaning, options=dict(one.options),
            fields={
                name: FieldView(meaning=field.meaning, required=field.required, names=tuple(field.names))
                for name, field in one.fields.items()
            },
        )
        for one in MAPPERS.values()
    ]  # fmt: skip
