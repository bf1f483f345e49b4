"""From prepared rows to training examples. A row is never cut: a cut answer teaches the model to stop early."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import Architecture, Encoded
from brewslm.models.packing import Example, Packable, Pair
from brewslm.models.templates import example_ids
from brewslm.models.turns import TurnsRewritten, talk_ids
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

E = TypeVar("E")


def tokenise(
    rows: Sequence[PreparedRow], handler: TaskHandler, tokenizer: Any, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Packable], list[tuple[str, RowReason]]]:
    """Every row as an example for a causal model, or as (row_id, reason)."""
    make = pair_of if handler.objective == "preference" else example_of
    return _sorted_out(rows, lambda row: make(row, handler, tokenizer, max_length), ledger)


def encode(
    rows: Sequence[PreparedRow], handler: TaskHandler, architecture: Architecture, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Encoded], list[tuple[str, RowReason]]]:
    """Every row as its architecture reads it, or as (row_id, reason)."""

    def made(row: PreparedRow) -> Encoded | RowReason:
        one = architecture.encode(row.row_id, handler.prompt(row.payload), handler.completion(row.payload))
        if one.tokens > max_length:
            return RowReason.OVER_LENGTH
        return RowReason.NOTHING_SUPERVISED if one.supervised < architecture.least_supervised else one

    return _sorted_out(rows, made, ledger)


def _sorted_out(
    rows: Sequence[PreparedRow], make: Callable[[PreparedRow], E | RowReason], ledger: LedgerKeeper
) -> tuple[list[E], list[tuple[str, RowReason]]]:
    examples, rejected = [], []
    for row in rows:
        ledger.enter()
        made = make(row)
        if isinstance(made, RowReason):
            ledger.reject(made)
            rejected.append((row.row_id, made))
        else:
            ledger.accept()
            examples.append(made)
    return examples, rejected


def example_of(row: PreparedRow, handler: TaskHandler, tokenizer: Any, max_length: int) -> Example | RowReason:
    """One row as an example, or why it is none."""
    prompt, completion = handler.prompt(row.payload), handler.completion(row.payload)
    if handler.every_turn:
        try:
            ids, ranges = talk_ids(tokenizer, prompt.messages, completion)
        except TurnsRewritten:
            return RowReason.TURNS_REWRITTEN
        between = tuple((stop, start) for (_, stop), (start, _) in pairwise(ranges) if stop < start)
        example = Example(row.row_id, ids, ranges[0][0], between)
    else:
        example = Example(row.row_id, *example_ids(tokenizer, prompt, completion))
    if len(example.ids) > max_length:
        return RowReason.OVER_LENGTH
    return RowReason.NOTHING_SUPERVISED if example.supervised < 2 else example  # the end mark alone


def pair_of(row: PreparedRow, handler: TaskHandler, tokenizer: Any, max_length: int) -> Pair | RowReason:
    """One row of preference as its two answers, or why it is none."""
    prompt = handler.prompt(row.payload)
    answers = (handler.completion(row.payload), handler.worse(row.payload))
    pair = Pair(*(Example(row.row_id, *example_ids(tokenizer, prompt, answer)) for answer in answers))
    if pair.longest > max_length:
        return RowReason.OVER_LENGTH
    if min(example.supervised for example in pair.sequences) < 2:
        return RowReason.NOTHING_SUPERVISED
    return RowReason.IDENTICAL_PAIR if pair.chosen.ids == pair.rejected.ids else pair
