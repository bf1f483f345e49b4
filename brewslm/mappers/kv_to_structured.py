"""A text and the values of its fields, for `structured_extraction` scored field by field."""

from collections.abc import Iterable
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.mappers.base import Field, Mapper, Refused, as_label, at
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows import RowReason


class KvToStructured(Mapper):
    """A text and some field columns → {text, entities_json, fields}.

    `entities_json` is {"entities": [{field, value}]} in the order of the option; a field without a value is left out.
    """

    id = "kv_to_structured"
    task_profile = "structured_extraction"
    meaning = "A text column, and columns with the values that are to be found in it (invoices, forms)."
    fields = {"text": Field(("text", "document", "ocr_text", "content", "body", "raw_text"), "What the values stand in.")}
    options = {"fields": "The columns with the values, separated by commas; name=column calls a field otherwise."}

    def set_options(self, options: dict[str, str]) -> None:
        """Read which columns are fields.

        Raises:
            StageError(InvalidRequest): None is named, or two by the same name.
        """
        named = [entry.strip().rpartition("=") for entry in options.get("fields", "").split(",") if entry.strip()]
        pairs = [(name.strip() or column.strip().rpartition(".")[2], column.strip()) for name, _, column in named]
        self._sources = dict(pairs)
        if not self._sources or not all(self._sources) or not all(self._sources.values()):
            cause = "it must name the columns with the values, for example fields=total,date=invoice_date"
            raise StageError(InvalidRequest(), "kv_to_structured needs the option fields", cause=cause)
        if len(self._sources) < len(pairs):
            raise StageError(InvalidRequest(), "the option fields names a field twice", cause=options["fields"][:200])

    def check_columns(self, known: Iterable[str]) -> None:
        """Hold the text and the fields against the columns of the source.

        Raises:
            StageError(ColumnMissing): One is not there.
        """
        columns = list(known)
        super().check_columns(columns)
        for name, column in self._sources.items():
            self.check_column(column, columns, f"the value of {name} is mapped to column {column}")

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The text, and each field that has a value."""
        text = self.text(values, "text", RowReason.MISSING_TEXT, RowReason.EMPTY_TEXT)
        if isinstance(text, Refused):
            return text
        found = {name: written for name, column in self._sources.items() if (written := _written(at(values, column)))}
        if not found:
            return Refused(RowReason.NO_FIELDS_EXTRACTED)
        entities = [{"field": name, "value": value} for name, value in found.items()]
        return {"text": text, "entities_json": {"entities": entities}, "fields": list(self._sources)}


def _written(value: Any) -> str | None:
    """A value as text: a text as it is, a number or a boolean as a label, a list or an object as JSON; None for no value."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode() if value else None
    return as_label(value)
