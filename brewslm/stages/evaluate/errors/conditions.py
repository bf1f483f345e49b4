"""Conditions that can be checked on a row: what error clusters are named by."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.stages.evaluate.errors.facts import Facts
from brewslm.stages.evaluate.errors.words import fault_said

Mark = Literal[
    "a question mark", "an exclamation mark", "a digit", "a quotation mark", "brackets", "a word in capitals", "a web address",
    "letters beyond English", "a line break",
]  # fmt: skip
MARKS: dict[Mark, re.Pattern[str]] = {
    "a question mark": re.compile(r"\?"),
    "an exclamation mark": re.compile("!"),
    "a digit": re.compile(r"\d"),
    "a quotation mark": re.compile('["\u201c\u201d\u00ab\u00bb\u201e]'),
    "brackets": re.compile(r"[()\[\]]"),
    "a word in capitals": re.compile(r"\b[A-Z]{2,}\b"),
    "a web address": re.compile(r"https?://|\bwww\."),
    "letters beyond English": re.compile(r"[^\W\d_a-zA-Z]"),
    "a line break": re.compile(r"\n"),
}


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True)


class HasFault(_Condition):
    """The answer has this fault."""

    kind: Literal["fault"] = "fault"
    fault: str
    subject: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """In words."""
        return fault_said(self.fault, self.subject)

    def holds(self, row: Facts) -> bool:
        """Whether it does."""
        return any((found.kind, found.subject) == (self.fault, self.subject) for found in row.faults)


class HasWord(_Condition):
    """What is asked contains one of these words, whatever the case."""

    kind: Literal["word"] = "word"
    words: tuple[str, ...]

    @property
    def said(self) -> str:
        """In words."""
        quoted = " or ".join(f'"{word}"' for word in self.words)
        return f"contains {quoted}"

    def holds(self, row: Facts) -> bool:
        """Whether it does."""
        return not row.vocabulary.isdisjoint(self.words)


class HasMark(_Condition):
    """What is asked contains this."""

    kind: Literal["mark"] = "mark"
    mark: Mark

    @property
    def said(self) -> str:
        """In words."""
        return f"contains {self.mark}"

    def holds(self, row: Facts) -> bool:
        """Whether it does."""
        return bool(MARKS[self.mark].search(row.text))


class Length(_Condition):
    """What is asked, or the right answer, has more than so many words, or fewer."""

    kind: Literal["length"] = "length"
    of: Literal["asked", "answer"]
    more_than: int | None = None
    fewer_than: int | None = None

    @property
    def said(self) -> str:
        """In words."""
        whose = "" if self.of == "asked" else "the right answer is "
        return whose + (
            f"longer than {self.more_than:,} words" if self.more_than is not None else f"shorter than {self.fewer_than:,} words"
        )

    def holds(self, row: Facts) -> bool:
        """Whether it has."""
        count = row.length if self.of == "asked" else row.answer_words
        if count is None:
            return False
        return count > self.more_than if self.more_than is not None else count < (self.fewer_than or 0)


class FromSource(_Condition):
    """The row comes from this source."""

    kind: Literal["source"] = "source"
    source: str

    @property
    def said(self) -> str:
        """In words."""
        return f"source = {self.source}"

    def holds(self, row: Facts) -> bool:
        """Whether it does."""
        return row.source == self.source


class ColumnIs(_Condition):
    """A column of the row has this value."""

    kind: Literal["column"] = "column"
    column: str
    value: str

    @property
    def said(self) -> str:
        """In words."""
        return f"{self.column} = {self.value}"

    def holds(self, row: Facts) -> bool:
        """Whether it has."""
        return row.columns.get(self.column) == self.value


Trait = HasWord | HasMark | Length | FromSource | ColumnIs
"""A condition on the row alone, which can be checked before a model is asked."""
Condition = Annotated[HasFault | Trait, Field(discriminator="kind")]
