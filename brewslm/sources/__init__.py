"""Connectors: one file per scheme, and how a locator finds its own."""

from brewslm.sources.base import Connector, SourceDescription, SourceHints
from brewslm.sources.locator import CONNECTORS, Locator, connector_of

__all__ = ["CONNECTORS", "Connector", "Locator", "SourceDescription", "SourceHints", "connector_of"]
