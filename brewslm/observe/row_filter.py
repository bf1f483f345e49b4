"""Which rows are asked for, and whether a line is one of them."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

RowStatus = Literal["counts", "rejected", "undone"]
Split = Literal["train", "dev", "eval", "gold", "rejected"]


class RowFilter(BaseModel):
    """What is asked for. Without a manifest: rows of imports. With one: rows as that version has put them.

    Attributes:
        status: "counts" in the project; "rejected" by an import that counts (or by the one that is named); accepted, and
            "undone" with its import since.
        import_run: Only rows of this import.
        reason: Only rows that were rejected for it.
        manifest: The version of a data manifest; `status` and `import_run` say nothing then.
        split: Of that version, the rejected ones being what prepare left out.
        label: Rows of this label, to the letter.
        text: What a value of the row holds, be the letters great or small.
        field: Only this value is looked at for the text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    status: RowStatus = "counts"
    import_run: str | None = Field(default=None, alias="import")
    reason: str | None = None
    manifest: int | None = Field(default=None, ge=1, le=2**63 - 1)
    split: Split | None = None
    label: str | None = None
    text: str | None = None
    field: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "RowFilter":
        if self.split and self.manifest is None:
            raise _unfit("split", "a split is one of a manifest: name its version too")
        if self.reason and not self.of_rejected:
            raise _unfit("reason", "a reason is one of rejected rows: choose them too")
        if self.is_narrow and self.split == "rejected":
            cause = "rows that prepare left out can't be searched: their file says no more than their reasons"
            raise _unfit("label" if self.text is None else "text", cause)
        return self

    @property
    def of_rejected(self) -> bool:
        """Whether rows are asked for that were rejected, by an import or by prepare."""
        return self.split == "rejected" if self.manifest is not None else self.status == "rejected"

    @property
    def is_narrow(self) -> bool:
        """Whether rows have to be looked at to know how many they are."""
        return self.label is not None or self.text is not None

    def needles(self) -> list[bytes]:
        """What a line must hold to be worth a look; see rows/browsing.py."""
        found = [f'"reason":"{self.reason}"'.encode()] if self.reason else []
        found += [orjson.dumps(self.field).lower() + b":"] if self.field and self.text else []
        return [*found, *_needle(self.label), *_needle(self.text)]

    def matches(self, line: dict[str, Any], label_of: Callable[[dict[str, Any]], Sequence[str]]) -> bool:
        """Whether a line is one that is asked for.

        Args:
            label_of: A row's values to its labels.
        """
        values = line.get("payload") or line.get("raw") or {}
        if self.reason is not None and line.get("reason") != self.reason:
            return False
        if self.label is not None and self.label not in label_of(values):
            return False
        return self.text is None or any(self.text.casefold() in said.casefold() for said in self._texts(values))

    def _texts(self, values: dict[str, Any]) -> list[str]:
        looked_at = values.values() if self.field is None else [values[self.field]] if self.field in values else []
        return [one if isinstance(one, str) else orjson.dumps(one).decode() for one in looked_at]


def _unfit(field: str, cause: str) -> PydanticCustomError:
    """A field that does not go with the others; a form says it there."""
    return PydanticCustomError("row_filter", "{cause}", {"field": field, "cause": cause})


def _needle(said: str | None) -> list[bytes]:
    """The longest part of a text that stands in a JSON line just so; nothing, where there is none."""
    parts = re.findall(r"[ !#-\[\]-~]+", said or "")
    return [max(parts, key=len).lower().encode()] if parts else []
