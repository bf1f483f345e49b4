"""The mapping of an import: a hypothesis, and what a person says otherwise. A doubtful one is taken only by a tick."""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from brewslm.observe.connectors import FieldView, MapperView
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.introspect import Introspection, ShapeHypothesis
from brewslm.web.fields import Select, Tick
from brewslm.web.form_field import FormField
from brewslm.web.hypotheses import HypothesisChoice
from brewslm.web.parts import Text, box

NO_COLUMN, CHOOSE = "no column", "choose a column"


class MappingForm:
    """One of the hypotheses or another mapper, a column for each of its fields, its options, and a limit.

    Args:
        on_change: Called at every change: what was said of the mapping before is over.
    """

    def __init__(self, found: Introspection, known: list[MapperView], on_change: Callable[[], object]) -> None:
        self._found, self._on_change = found, on_change
        self._mappers = {one.id: one for one in known if one.problem is None}
        self._entries: dict[str, dict[str, str]] = {}
        self._mapper = found.proposal.mapper_id if found.proposal else ""
        self._forced, self._asked_for = False, ""
        self._samples = {one.name: one.sample_value or "" for one in found.column_signatures}
        self._hypotheses = HypothesisChoice(found, self._mapper, self._choose)
        choices = {} if self._mapper else {"": "choose a mapper"}
        choices |= {one.id: f"{one.id} → {one.target_task_profile}" for one in self._mappers.values()}
        self._select = Select("Mapper", choices, self._mapper, self._choose)
        self._meaning = Text("p", "", "muted")
        self._fields = box("div", "fields")
        with box("div", "fields"):
            note = "Only so many rows, drawn over all of the source."
            self._limit = FormField("limit", "Limit", "", note, on_change=lambda _limit: on_change(), inputmode="numeric")
        self._doubt = box("div", "doubt-box")
        self._draw()

    @property
    def entries(self) -> dict[str, str]:
        """The whole field map, as it stands in the form."""
        return {name: value for name, value in self._entries.get(self._mapper, {}).items() if value}

    def asked(self, project: int, locator: str) -> ImportRequest:
        """What the person asks: entries that he left as they were proposed are a guess still, and are held to its gate."""
        limit = self._rows()
        return ImportRequest(
            project=project, locator=locator, mapper=self._mapper or None, field_map=self._named(), auto=True,
            force=self._forced, limit=int(limit) if limit else None,
        )  # fmt: skip

    def _rows(self) -> str:
        return self._limit.value.replace(",", "")

    def ready(self) -> bool:
        """Whether it can be asked so; what can't be is told at its field."""
        limit = self._rows()
        fits = not limit or (limit.isascii() and limit.isdigit() and int(limit) > 0)
        self._limit.blame("" if fits else "Give a whole number from 1, or none.")
        return fits

    def _guess(self) -> ShapeHypothesis | None:
        return next((one for one in self._found.hypotheses if one.mapper_id == self._mapper), None)

    def _named(self) -> dict[str, str]:
        """Entries that the person said otherwise than the guess does."""
        guess = self._guess()
        return {name: value for name, value in self.entries.items() if guess is None or guess.field_map.get(name) != value}

    def _choose(self, mapper: str) -> None:
        self._mapper, self._forced = mapper, False
        self._hypotheses.show(mapper)
        self._select.show(mapper)
        self._draw()
        self._on_change()

    def _set(self, name: str, value: str) -> None:
        self._entries[self._mapper][name] = value.strip()
        self._show_sample(name)
        self._draw_doubt()
        self._on_change()

    def _draw(self) -> None:
        """The fields of the chosen mapper; what was filled in for it before is there again."""
        known, guess = self._mappers.get(self._mapper), self._guess()
        entries = self._entries.setdefault(self._mapper, dict(guess.field_map) if guess else {})
        self._meaning.text = known.meaning if known else ""
        self._fields.clear()
        self._shown: dict[str, Text] = {}
        with self._fields:
            for name, field in (known.fields if known else {}).items():
                self._column(name, field, entries.get(name, ""))
            for name, meaning in (known.options if known else {}).items():
                with box("div", "field"):
                    _text(name, f"option-{name}", entries.get(name, ""), partial(self._set, name), meaning)
        self._asked_for = ""
        self._draw_doubt()

    def _column(self, name: str, field: FieldView, value: str) -> None:
        columns = [*self._found.columns, *([value] if value and value not in self._found.columns else [])]
        choices = {"": CHOOSE if field.required else NO_COLUMN} | {column: column for column in columns}
        label = name if field.required else f"{name} (may be left out)"
        with box("div", "field-with-sample"):
            Select(label, choices, value, partial(self._set, name), field.meaning)
            self._shown[name] = Text("p", "", "mono muted clip-line")
        self._show_sample(name)

    def _show_sample(self, name: str) -> None:
        """What the chosen column holds, so that a wrong one is seen at once."""
        if name in self._shown:
            sample = self._samples.get(self._entries[self._mapper].get(name, ""), "")
            self._shown[name].text = f"such as: {sample}" if sample else ""

    def _draw_doubt(self) -> None:
        """The tick that a guess under the threshold needs, unless the person has named all that it guesses."""
        guess, known = self._guess(), self._mappers.get(self._mapper)
        required = {name for name, field in known.fields.items() if field.required} if known else set()
        doubtful = (
            guess is not None and guess.confidence < self._found.confidence_threshold and not required <= self._named().keys()
        )
        wanted = f"Take it although it is not sure ({guess.confidence:.2f})" if guess and doubtful else ""
        if wanted == self._asked_for:
            return
        self._asked_for, self._forced = wanted, False
        self._doubt.clear()
        with self._doubt:
            if wanted:
                Tick(wanted, self._force)

    def _force(self, forced: bool) -> None:
        self._forced = forced
        self._on_change()


def _text(label: str, name: str, value: str, on_change: Callable[[str], object], note: str) -> ui.input:
    made = ui.input(label, value=value, on_change=lambda event: on_change(event.value or ""))
    made.props(f"outlined dense for={name} autocomplete=off spellcheck=false")
    Text("p", note, "muted")
    return made
