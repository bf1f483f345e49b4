"""The form of a prepare request: every field of it, each with what it means when it is left empty."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from brewslm.observe.adapters import AdapterView
from brewslm.observe.fault_words import fault_words
from brewslm.pipeline.runs import RunView
from brewslm.stages.prepare import PrepareRequest
from brewslm.web.acts import act
from brewslm.web.fields import Tick
from brewslm.web.form_field import FormField
from brewslm.web.parts import Text, box, button, link
from brewslm.web.pieces import ledger_bar

SIZES = (
    ("train_rows", "Train rows", "All that dev and eval leave, if empty."),
    ("eval_rows", "Eval rows", "Held out to measure with. A fifth, at most 400, if empty."),
    ("eval_share", "Eval as a share", "The same as a share of all rows, such as 0.2."),
    ("dev_rows", "Dev rows", "They choose checkpoints. A tenth, at most 100, if empty."),
    ("dev_share", "Dev as a share", "The same as a share of all rows, such as 0.1."),
)
WAYS = (
    ("seed", "Seed", "The same seed over the same rows gives the same split."),
    ("group_by", "Group by", "A column of the source, or document: rows with an equal value stay on one side."),
    ("time_by", "Time by", "A column of the source with a time: the latest rows are held out."),
    ("max_tokens", "Longest row, in tokens", "The task's recipe says, if empty."),
    ("contexts", "Chunks for each question", "Of documents, for questions without passages."),
)
PII = {"report": "report: count it", "block": "block: turn its rows away", "off": "off: don't look"}


class PrepareForm:
    """The card.

    Args:
        last: The request of the manifest in use, to begin with; {} where there is none.
        profiles: Task profiles that the project's rows are of.
        on_done: Called when a version was frozen.
    """

    def __init__(
        self, project: int, last: dict[str, Any], adapters: Sequence[AdapterView], profiles: Sequence[str],
        on_done: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._project, self._on_done = project, on_done
        self._resplit = False
        self._fields: dict[str, FormField] = {}
        with box("section", "card", aria_labelledby="prepare-form", id="new-version") as self.root:
            Text("h2", "Prepare a new version", id="prepare-form")
            Text("p", "Freezes the rows that count as a data manifest: train, its dev slice, and eval.", "muted")
            Text("h3", "What is taken")
            with box("div", "fields"):
                kinds = {"": "the one of most rows", **{one: one for one in profiles}}
                self._add(FormField("task_profile", "Task profile", str(last.get("task_profile") or ""), "", options=kinds))
                known = {one.name: f"{one.name}: {one.meaning}"[:90] for one in adapters}
                chosen = str(last.get("adapter") or "auto")
                note = "How rows are read."
                self._add(FormField("adapter", "Adapter", chosen, note, options={chosen: chosen, **known}))
                self._add(FormField("pii", "Personal data in rows", str(last.get("pii") or "report"), "", options=PII))
            Text("h3", "How much")
            with box("div", "fields"):
                self._lines(SIZES, last)
            Text("h3", "How it is split")
            with box("div", "fields"):
                self._lines(WAYS, last)
            Tick("Draw the split anew, though rows then move between its sides", self._set_resplit)
            with box("div", "actions"):
                button("Prepare the rows", self._ask, "primary")
            self._said = box("div", "form-said")

    def _add(self, field: FormField) -> None:
        self._fields[field.name] = field

    def _lines(self, lines: Sequence[tuple[str, str, str]], last: dict[str, Any]) -> None:
        for name, label, note in lines:
            value = last.get(name, PrepareRequest.model_fields[name].default)
            numeric: dict[str, Any] = {} if name in ("group_by", "time_by") else {"inputmode": "decimal"}
            self._add(FormField(name, label, "" if value is None else str(value), note, **numeric))

    def _set_resplit(self, resplit: bool) -> None:
        self._resplit = resplit

    async def _ask(self) -> None:
        self._said.clear()
        for field in self._fields.values():
            field.blame("")
        values = {name: field.value.replace(",", "") for name, field in self._fields.items() if field.value}
        try:
            request = PrepareRequest(project=self._project, resplit=self._resplit, **values)
        except ValidationError as error:
            self._blame(error)
            return
        with self._said:
            await act(request, f"page-{uuid4()}", self._done, self._on_done)

    def _blame(self, error: ValidationError) -> None:
        """Each fault at its field; one of the whole request at the first field that it names."""
        for each in error.errors():
            said = fault_words(each)
            name = str(each["loc"][0]) if each["loc"] else next((one for one in self._fields if one in said), "")
            if name in self._fields:
                self._fields[name].blame(said)
            else:
                with self._said:
                    Text("p", said, "is-failed", role="alert")

    def _done(self, run: RunView) -> None:
        result = run.result or {}
        version, ledger = result["version"], result["ledger"]
        Text("h3", f"Version {version} is frozen and in use")
        target = f"/projects/{self._project}/rows?manifest={version}&split=rejected"
        ledger_bar(ledger["rows_in"], ledger["rows_out"], ledger["rejected"], target)
        for note in result["notes"]:
            Text("p", f"Note: {note}", "doubt")
        with box("p"):
            link(f"Look at v{version}", f"/projects/{self._project}/prepare?version={version}")
