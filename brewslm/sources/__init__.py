"""Connectors: one file per scheme, and how a locator finds its own."""

from brewslm.sources.base import Connector, SourceDescription, SourceHints
from brewslm.sources.locator import CONNECTORS, LOCAL_SCHEMES, Locator, connector_of, names_a_path

__all__ = [
    "CONNECTORS",
    "LOCAL_SCHEMES",
    "Connector",
    "Locator",
    "SourceDescription",
    "SourceHints",
    "connector_of",
    "names_a_path",
]
