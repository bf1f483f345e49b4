"""Source locators: `scheme:reference`."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import UnknownScheme
from brewslm.sources.base import Connector
from brewslm.sources.csv import CsvConnector
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.sample import SampleConnector

CONNECTORS: dict[str, Connector] = {
    connector.scheme: connector for connector in (JsonlConnector(), CsvConnector(), SampleConnector())
}
_FILES = ("jsonl", "csv")


def connector_of(locator: str) -> tuple[Connector, str]:
    """The connector of a locator, and the reference after its scheme.

    Raises:
        StageError(UnknownScheme): No connector has this scheme.
    """
    scheme, colon, reference = locator.partition(":")
    if colon and scheme in CONNECTORS:
        return CONNECTORS[scheme], reference
    cause = did_you_mean(scheme, CONNECTORS) if colon else f"it has no scheme; known: {', '.join(sorted(CONNECTORS))}"
    suffix = Path(locator).suffix.removeprefix(".")
    if not colon and suffix in _FILES:
        cause = f"it has no scheme; did you mean {suffix}:{locator}?"
    raise StageError(UnknownScheme(), where=locator, cause=cause)


def _absolute(locator: str) -> str:
    scheme, colon, reference = locator.partition(":")
    if colon and reference and scheme in _FILES:
        return f"{scheme}:{Path(reference).expanduser().absolute()}"
    return locator


Locator = Annotated[str, AfterValidator(_absolute)]
"""A locator in a request; a path in it becomes absolute where the request is made, for a worker may run it elsewhere."""
