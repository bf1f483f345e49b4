"""/ui/projects/{id}/compression: the variants of an export, what each costs and is worth, and which to take."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import uuid4

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from brewslm.errors import StageError
from brewslm.observe.compression import CompressionView, compression, promotions
from brewslm.observe.exports import ExportView, exports
from brewslm.observe.figures import counted
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import NotCompared, UnknownRun
from brewslm.stages.export.choosing import Limits
from brewslm.stages.export.compare import CompareRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import FormField
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box, button, link
from brewslm.web.pieces import chips, empty, title_row
from brewslm.web.query import address, heard, usual_left_out
from brewslm.web.running import POLL_SECONDS
from brewslm.web.variants_card import choice_card, measured_card, unmeasured_card

EXPORTS = 50
LIMITS = ("max_mb", "max_memory_mb", "min_tokens_per_second", "min_quality")


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment.

    Attributes:
        made: The newest exports that ended well.
        view: Of the chosen one; None where it was not measured.
        why_not: Variant → why it would not be promoted.
    """

    made: tuple[ExportView, ...]
    chosen: ExportView | None
    view: CompressionView | None
    why_not: dict[str, str]


def see(project: int, export: str, limits: Limits) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownRun): The project has no export of this id that ended well.
    """
    made = tuple(one for one in exports(project, limit=EXPORTS) if one.artifacts)
    chosen = next((one for one in made if export in ("", one.id)), None)
    if chosen is None:
        if export:
            raise StageError(UnknownRun(), where=export[:80], cause="no finished export of this project has this id")
        return Seen(made, None, None, {})
    try:
        view = compression(chosen.id, limits)
    except StageError as error:
        if not isinstance(error.reason, NotCompared):
            raise
        view = None
    return Seen(made, chosen, view, promotions(chosen.id))


def _plain(said: object) -> object:
    """Thousands may be parted by commas."""
    return said.replace(",", "") if isinstance(said, str) else said


Number = Annotated[float, BeforeValidator(_plain), Field(allow_inf_nan=False)]
Amount = Annotated[Number, Field(ge=0)]


class Asked(BaseModel):
    """What the address asks for: the export, and limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    export: str = ""
    max_mb: Amount | None = None
    max_memory_mb: Amount | None = None
    min_tokens_per_second: Amount | None = None
    min_quality: Number | None = None

    @property
    def limits(self) -> Limits:
        """Those that can be used."""
        return Limits(**{name: getattr(self, name) for name in LIMITS})


async def page(project: str, request: Request) -> None:
    """The page; the export and the limits stand in its address."""
    here = await opened(project)
    asked = heard(Asked, request.query_params)
    found, wanted = here.project, asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, wanted.export, wanted.limits)
    others = replace(asked, faults={name: said for name, said in asked.faults.items() if name not in LIMITS})
    with here.frame("Compression"):
        left_out_card(others, address(f"/projects/{found.id}/compression", usual_left_out(wanted)))
        shown = _Compression(found.id, seen, wanted.export, {name: asked.said.get(name, "") for name in LIMITS})
    ui.timer(POLL_SECONDS, shown.look)


class _Compression:
    """The page's parts."""

    def __init__(self, project: int, seen: Seen, export: str, said: dict[str, str]) -> None:
        self._project, self._seen, self._export, self._said = project, seen, export, dict(said)
        chosen = seen.chosen
        line = f"Variants of {chosen.id}, made of {chosen.experiment}: size against quality." if chosen else ""
        with title_row("Compression", line):
            if chosen is not None:
                button("Measure again" if seen.view else "Measure the variants", self._ask, "" if seen.view else "primary")
        self._confirm = Confirm("Measure the variants")
        if chosen is None:
            with box("section", "card", aria_label="No export"):
                empty("Variants are of an export, and none was made yet.", "Export a model", f"/projects/{project}/export")
            return
        if len(seen.made) > 1:
            chips("Export", [(one.id, self._address(one.id), None) for one in seen.made], chosen.id)
        self._fields: dict[str, FormField] = {}
        self._cards = box("div", "column-of-cards")
        self._draw()

    def _address(self, export: str) -> str:
        query = urlencode({"export": export} | {name: text for name, text in self._said.items() if text})
        return f"/projects/{self._project}/compression?{query}"

    def _draw(self) -> None:
        chosen, view = self._seen.chosen, self._seen.view
        assert chosen is not None
        self._cards.clear()
        with self._cards:
            if view is None:
                unmeasured_card(chosen, self._seen.why_not)
                return
            measured_card(chosen, view, self._seen.why_not)
            choice_card(view, self._limits)

    def _limits(self) -> None:
        """The form of the limits; what it says goes into the address."""
        labels = {
            "max_mb": ("Largest size", "MB"), "max_memory_mb": ("Most memory", "MB"),
            "min_tokens_per_second": ("Least speed", "tokens/s written, one request at a time"),
            "min_quality": ("Least quality", "of the metric, in its own unit: 0.9 for 90 %"),
        }  # fmt: skip
        with box("div", "fields"):
            for name, (label, note) in labels.items():
                said = partial(self._say, name)
                self._fields[name] = FormField(name, label, self._said[name], note, on_change=said, inputmode="decimal")
        self._blame()
        with box("div", "actions"):
            button("Choose within these limits", self._choose)
            if any(self._said.values()):
                link("No limits", f"/projects/{self._project}/compression?export={self._export}", "button")

    def _say(self, name: str, text: str) -> None:
        self._said[name] = text.strip()

    def _blame(self) -> bool:
        """What can't be used is said at its field."""
        faults = heard(Asked, self._said).faults
        for name, field in self._fields.items():
            field.blame(faults.get(name, ""))
        return bool(faults)

    def _choose(self) -> None:
        if self._blame():
            return
        assert self._seen.chosen is not None
        ui.navigate.to(self._address(self._seen.chosen.id))

    def _ask(self) -> None:
        chosen = self._seen.chosen
        assert chosen is not None
        sentences = [
            f"Each variant of {chosen.id} is asked the held-out rows by its own runtime, timed, and held against the one that "
            "lost least. It takes this machine's processor for minutes; nothing is changed but the figures here.",
        ]
        export, key, fields = chosen.id, f"page-{uuid4()}", list[FormField]()

        def more() -> None:
            with box("div", "fields"):
                note = "Evenly spaced over the eval rows; all when left out."
                fields.append(FormField("rows", "Rows", "", note, inputmode="numeric"))

        def said() -> str:
            return fields[0].value.replace(",", "")

        def ready() -> bool:
            fits = not said() or (said().isascii() and said().isdigit() and int(said()) > 0)
            fields[0].blame("" if fits else "Give a whole number from 1, or none.")
            return fits

        async def measure() -> None:
            await act(CompareRequest(export=export, rows=int(said()) if said() else None), key, _measured, self.look)

        self._confirm.ask("Measure the variants?", sentences, "Measure them now", measure, more=more, ready=ready)

    async def look(self) -> None:
        """Read again, and show what has changed."""
        now = await anyio.to_thread.run_sync(see, self._project, self._export, heard(Asked, self._said).value.limits)
        if (now.view, now.why_not) != (self._seen.view, self._seen.why_not) and now.chosen is not None:
            self._seen = now
            self._draw()


def _measured(run: RunView) -> None:
    result = run.result or {}
    with box("p", "", role="status"):
        Text(
            "span",
            f"{counted(len(result['variants']), 'variant was', 'variants were')} measured on {counted(result['n'], 'row')}. ",
        )
        link(run.task_id, f"/projects/{run.project}/runs/{run.task_id}", "mono")
