"""/ui/projects/{id}/compression: the variants of an export, what each costs and is worth, and which to take."""

from dataclasses import dataclass
from functools import partial
from math import isfinite
from urllib.parse import urlencode
from uuid import uuid4

import anyio
from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.compression import CompressionView, compression, promotions
from brewslm.observe.exports import ExportView, exports
from brewslm.observe.figures import counted
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest, NotCompared, UnknownRun
from brewslm.stages.export.choosing import Limits
from brewslm.stages.export.compare import CompareRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.form_field import FormField
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box, button, link
from brewslm.web.pieces import chips, empty, title_row
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


async def page(
    project: str,
    export: str = "",
    max_mb: str = "",
    max_memory_mb: str = "",
    min_tokens_per_second: str = "",
    min_quality: str = "",
) -> None:
    """The page; the export and the limits stand in its address."""
    here = await opened(project)
    said = dict(zip(LIMITS, (max_mb, max_memory_mb, min_tokens_per_second, min_quality), strict=True))
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id, export, limits_of(said))
    with here.frame("Compression"):
        shown = _Compression(found.id, seen, export, said)
    ui.timer(POLL_SECONDS, shown.look)


def limits_of(said: dict[str, str]) -> Limits:
    """The limits of an address.

    Raises:
        StageError(InvalidRequest): One is no number.
    """
    wrong = next((name for name, text in said.items() if not _is_number(text)), None)
    if wrong is not None:
        cause = f"{said[wrong][:80]} is no number"
        raise StageError(InvalidRequest(), "This limit can't be used", where=wrong, cause=cause, next_step="Give a number.")
    return Limits(**{name: float(text.replace(",", "")) for name, text in said.items() if text.strip()})


def _is_number(text: str) -> bool:
    """Or nothing."""
    try:
        return not text.strip() or isfinite(float(text.replace(",", "")))
    except ValueError:
        return False


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
        with box("div", "actions"):
            button("Choose within these limits", self._choose)
            if any(self._said.values()):
                link("No limits", f"/projects/{self._project}/compression?export={self._export}", "button")

    def _say(self, name: str, text: str) -> None:
        self._said[name] = text.strip()

    def _choose(self) -> None:
        faults = {name: "" if _is_number(self._said[name]) else "It is a number, or none." for name in LIMITS}
        for name, fault in faults.items():
            self._fields[name].blame(fault)
        if any(faults.values()):
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
        now = await anyio.to_thread.run_sync(see, self._project, self._export, limits_of_or_none(self._seen, self._said))
        if (now.view, now.why_not) != (self._seen.view, self._seen.why_not) and now.chosen is not None:
            self._seen = now
            self._draw()


def limits_of_or_none(seen: Seen, said: dict[str, str]) -> Limits:
    """Those of the form as it is now, if they are numbers: else none."""
    try:
        return limits_of(said)
    except StageError:
        return Limits()


def _measured(run: RunView) -> None:
    result = run.result or {}
    with box("p", "", role="status"):
        Text(
            "span",
            f"{counted(len(result['variants']), 'variant was', 'variants were')} measured on {counted(result['n'], 'row')}. ",
        )
        link(run.task_id, f"/projects/{run.project}/runs/{run.task_id}", "mono")
