"""What is known of an evaluated row, as far as conditions can be checked on it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.handlers.faults import Fault, Rank, words_of
from brewslm.rows.identity import id_parts
from brewslm.rows.manifest import PreparedRow

LIMIT = "limit"
"""Why an answer stopped that was cut off."""
LONGEST_VALUE = 60
"""Characters of a column's value that is looked at: longer ones are texts."""


@dataclass(frozen=True)
class Facts:
    """One row with the answer that was given to it.

    Attributes:
        place: Of the row among the evaluation's, from 0.
        text: What was asked; "" of a picture or a recording without a question.
        vocabulary: Its words without regard to case.
        length, answer_words: How many words it and the right answer have, parted by white space; None where it is no text.
        source: Where the row came from; "" where that is not known.
        columns: Short values of the payload, by name, but for what is asked.
        faults: What is wrong with the answer; never empty where the row is not right.
        stratum: Which rows it is held against: see `TaskHandler.stratum`.
        expected, output: The right answer, and what was said.
    """

    place: int
    row_id: str
    text: str
    vocabulary: frozenset[str]
    length: int
    answer_words: int | None
    source: str
    columns: dict[str, str]
    faults: tuple[Fault, ...]
    stratum: str
    correct: bool
    expected: Any
    output: Any


def facts_of(
    handler: TaskHandler, rows: Sequence[PreparedRow], lines: Iterable[dict[str, Any]], sources: Mapping[str, str]
) -> list[Facts]:
    """The facts of every row, in order.

    Args:
        lines: Of predictions-<system>.jsonl, one a row, in the same order.
        sources: A row_id's source part → the source's name.
    """
    return [_facts(place, handler, *both, sources) for place, both in enumerate(zip(rows, lines, strict=True))]


def _facts(place: int, handler: TaskHandler, row: PreparedRow, line: dict[str, Any], sources: Mapping[str, str]) -> Facts:
    text, answer, prediction = asked(handler, row.payload), handler.expected(row.payload), Prediction.model_validate(line)
    return Facts(
        place=place, row_id=row.row_id, text=text, vocabulary=frozenset(words_of(text)), length=len(text.split()),
        answer_words=len(answer.split()) if isinstance(answer, str) else None, expected=answer, output=prediction.output,
        source=sources.get(id_parts(row.row_id)[0], ""), columns=_columns(handler, row.payload),
        faults=_faults(handler, row, prediction, line), stratum=handler.stratum(row.payload), correct=line["correct"],
    )  # fmt: skip


def _faults(handler: TaskHandler, row: PreparedRow, prediction: Prediction, line: dict[str, Any]) -> tuple[Fault, ...]:
    cut_off = [Fault("cut_off", (), Rank.USELESS)] if line.get("stop") == LIMIT else []
    found = [*cut_off, *handler.faults(row.payload, prediction)]
    return tuple(found) if found or line["correct"] else (Fault("wrong", (), Rank.GENERAL),)


def asked(handler: TaskHandler, payload: dict[str, Any]) -> str:
    """What is asked as a text; of a picture or a recording, the question that comes with it."""
    if handler.media is None:
        return handler.question(payload)
    prompt = payload.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def _columns(handler: TaskHandler, payload: dict[str, Any]) -> dict[str, str]:
    """One step down into nested ones too, such as "metadata.language"."""
    inner = {f"{name}.{key}": one for name, value in payload.items() if isinstance(value, dict) for key, one in value.items()}
    short = {name: str(value) for name, value in (payload | inner).items() if isinstance(value, str | int | float)}
    return {name: value for name, value in short.items() if name != handler.input_field and len(value) <= LONGEST_VALUE}
