"""Source locators: `scheme:reference`."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from brewslm.errors import StageError, did_you_mean
from brewslm.plugins import Extensible, broken
from brewslm.reasons.refusals import UnknownScheme
from brewslm.reasons.shown import shown_locator
from brewslm.sources.anyfile import FORMATS, FileConnector
from brewslm.sources.base import Connector
from brewslm.sources.hf import HfConnector
from brewslm.sources.kaggle import KaggleConnector
from brewslm.sources.mended import MendedConnector
from brewslm.sources.sample import SampleConnector
from brewslm.sources.url import UrlConnector

_LOCAL: tuple[Connector, ...] = (*FORMATS, FileConnector(), MendedConnector())
LOCAL_SCHEMES = tuple(connector.scheme for connector in _LOCAL)
"""Built-in schemes whose reference is a path on this machine: the API holds it against the folders that it may read."""
_REMOTE: tuple[Connector, ...] = (UrlConnector(), HfConnector(), KaggleConnector())
_BUILT_IN: dict[str, Connector] = {connector.scheme: connector for connector in (*_LOCAL, SampleConnector(), *_REMOTE)}
PLUGINS = "brewslm.sources"
_TEXTS = ("scheme", "grammar", "meaning", "extension")
CONNECTORS: Extensible[Connector] = Extensible(
    PLUGINS, _BUILT_IN, Connector, "scheme", dict.fromkeys(_TEXTS, str) | {"reads_a_path": bool}, lambda plugin: plugin()
)


def connector_of(locator: str) -> tuple[Connector, str]:
    """The connector of a locator, and the reference after its scheme.

    Raises:
        StageError(UnknownScheme): No connector has this scheme.
    """
    scheme, colon, reference = locator.partition(":")
    if colon and scheme in CONNECTORS:
        return CONNECTORS[scheme], reference
    if scheme in ("http", "https"):
        raise StageError(UnknownScheme(), where=shown_locator(locator), cause="a web address is named as url:https://…")
    cause = did_you_mean(scheme, CONNECTORS) if colon else f"it has no scheme; known: {', '.join(sorted(CONNECTORS))}"
    suffix = Path(locator).suffix.removeprefix(".")
    if not colon and suffix in (*LOCAL_SCHEMES, "gz", "zst", "ndjson"):
        cause = f"it has no scheme; did you mean {suffix if suffix in LOCAL_SCHEMES else 'file'}:{locator}?"
    for failed in broken(PLUGINS):
        cause += f"; a plugin could not be loaded: {failed.entry_point}: {failed.error}"
    raise StageError(UnknownScheme(), where=locator, cause=cause)


def names_a_path(scheme: str) -> bool:
    """Whether the scheme's reference is a path on this machine; of a plugin's, it says so itself."""
    return scheme in LOCAL_SCHEMES or (scheme not in _BUILT_IN and scheme in CONNECTORS and CONNECTORS[scheme].reads_a_path)


def _absolute(locator: str) -> str:
    scheme, colon, reference = locator.partition(":")
    if colon and reference and names_a_path(scheme):
        return f"{scheme}:{Path(reference).expanduser().absolute()}"
    return locator


Locator = Annotated[str, AfterValidator(_absolute)]
"""A locator in a request; a path in it becomes absolute where the request is made, for a worker may run it elsewhere."""
