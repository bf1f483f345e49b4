"""Filters that were kept under a name: each a link that spells it out, so that its address can be shared."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal
from uuid import uuid4

import anyio
from pydantic import ValidationError

from brewslm.errors import StageError
from brewslm.observe.savedfilters import SavedFilterView, saved_filters
from brewslm.pipeline import execute
from brewslm.stages.saved_filters import DeleteRequest, SaveRequest
from brewslm.web.doing import attempt
from brewslm.web.form_field import FormField
from brewslm.web.parts import Text, box, button, link, problem
from brewslm.web.projects import ACTOR

Of = Literal["events", "calls"]
NAME = "It is letters, digits, spaces, '.', '_' and '-', at most 60; first a letter or a digit."


class SavedFilters:
    """The row of links, the form to keep what holds now, and forgetting one.

    Args:
        held: What holds now; empty where there is nothing to keep.
        address: A filter's fields to the address that shows it.
    """

    def __init__(
        self, of: Of, held: Mapping[str, str], saved: Sequence[SavedFilterView], address: Callable[[Mapping[str, str]], str]
    ) -> None:
        self._of, self._held, self._saved, self._address = of, held, list(saved), address
        self._root = box("div", "saved")
        self._said = box("div", "saved-said")
        self._draw()

    def _draw(self) -> None:
        self._root.clear()
        with self._root:
            if self._saved:
                with box("nav", "filter", aria_label="Kept filters"):
                    Text("span", "Kept", "filter-name", aria_hidden="true")
                    for one in self._saved:
                        fields = {name: str(value) for name, value in one.filter.items() if name != "project"}
                        made = link(one.name, self._address(fields), "chip")
                        if fields == dict(self._held):
                            made.props["aria-current"] = "true"
            now = next((one for one in self._saved if self._is_this(one)), None)
            if now is not None:
                button(f"Forget the filter {now.name}", partial(self._ask_forget, now))
            elif self._held:
                with box("details", "keep-filter"):
                    Text("summary", "Keep this filter")
                    with box("div", "form"):
                        self._name = FormField("filter-name", "Its name", maxlength="60")
                        self._name.on_enter(self._keep)
                        button("Keep it", self._keep)

    def _is_this(self, one: SavedFilterView) -> bool:
        return {name: str(value) for name, value in one.filter.items() if name != "project"} == dict(self._held)

    async def _keep(self) -> None:
        try:
            request = SaveRequest(name=self._name.value, of=self._of, filter=dict(self._held))
        except ValidationError:
            self._name.blame(NAME)
            return
        kept = await attempt(partial(execute.call, ACTOR, request, idempotency_key=f"page-{uuid4()}"))
        if isinstance(kept, StageError):
            self._name.refuse(kept)
        else:
            await self._show(kept)

    def _ask_forget(self, one: SavedFilterView) -> None:
        self._said.clear()
        with self._said, box("div", "confirm", role="region", aria_label="Forget a filter"):
            Text("p", f"{one.name} is everybody's in this home. Events and calls stay as they are.")
            with box("div", "actions"):
                button(f"Forget {one.name} now", partial(self._forget, one), "primary")
                button("Keep it", self._said.clear)

    async def _forget(self, one: SavedFilterView) -> None:
        request = DeleteRequest(name=one.name)
        await self._show(await attempt(partial(execute.call, ACTOR, request, idempotency_key=f"page-{uuid4()}")))

    async def _show(self, done: object) -> None:
        self._said.clear()
        if isinstance(done, StageError):
            with self._said:
                problem(done)
            return
        self._saved = [one for one in await anyio.to_thread.run_sync(saved_filters) if one.of == self._of]
        self._draw()
