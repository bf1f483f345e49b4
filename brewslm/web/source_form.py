"""The first step of an import: name a source, or upload one, and look at it."""

from collections.abc import Callable

from nicegui import ui

from brewslm.api.uploads import readable
from brewslm.errors import StageError
from brewslm.observe.connectors import ConnectorView
from brewslm.pipeline.importing import introspect_locator
from brewslm.stages.introspect import Introspection
from brewslm.web.doing import Busy, attempt
from brewslm.web.fields import FileField
from brewslm.web.parts import Text, box, button, problem


class SourceForm:
    """An upload, or a locator.

    Args:
        on_found: Gets a locator that may be read, and what was found there.
        on_look: Called when somebody looks anew: what was found before is over.
        named: A locator to begin with.
    """

    def __init__(
        self,
        known: list[ConnectorView],
        on_look: Callable[[], None],
        on_found: Callable[[str, Introspection], None],
        named: str = "",
    ) -> None:
        self._on_look, self._on_found = on_look, on_found
        with box("div", "pair"):
            FileField("Upload a file", "CSV, TSV, JSON, JSON lines, Parquet or Excel; choose it, or drop it here", self._kept)
            with box("div", "locator"):
                self.locator = ui.input("Or name a source", value=named).props(
                    'outlined dense for="locator" autocomplete=off spellcheck=false'
                )
                Text("p", "Such as sample:movie-reviews, hf:<id> or url:https://…", "muted")
                self.locator.on("keydown.enter", self.look, [])
                self._button = button("Look at it", self.look, "primary")
                self.locator.on_value_change(lambda: self._button.classes("primary"))
        _help(known)
        self._busy = Busy()
        self._said = box("div", "form-said")

    async def _kept(self, path: str) -> None:
        self.locator.value = f"file:{path}"
        await self.look()

    async def look(self) -> None:
        """Introspect what the field names."""
        named = (self.locator.value or "").strip()
        if self._busy.is_on:
            return
        self._said.clear()
        if not named:
            with self._said:
                Text("p", "Upload a file or name a source first.", "is-failed", role="alert")
            return
        self._on_look()
        with self._busy.doing(f"Looking at {named}…"):
            found = await attempt(lambda: _introspected(named))
        if isinstance(found, StageError):
            with self._said:
                problem(found)
            return
        self._button.classes(remove="primary")  # what is to be done next stands below
        self._on_found(*found)


def _introspected(named: str) -> tuple[str, Introspection]:
    locator = readable(named)
    return locator, introspect_locator(locator)


def _help(known: list[ConnectorView]) -> None:
    """Every scheme's grammar; a plugin that could not be loaded says why."""
    with box("details", "event-details"):
        Text("summary", "How a source is named")
        with box("dl"):
            for each in known:
                Text("dt", each.grammar, "mono")
                Text("dd", each.meaning)
