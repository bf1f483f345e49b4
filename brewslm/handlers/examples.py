"""From prepared rows to training examples."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import Architecture, Encoded
from brewslm.models.packing import Example
from brewslm.models.templates import example_ids
from brewslm.models.turns import TurnsRewritten, talk_ids
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason


def tokenise(
    rows: Sequence[PreparedRow], handler: TaskHandler, tokenizer: Any, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Example], list[tuple[str, RowReason]]]:
    """Every row as an example, or as (row_id, reason): a row is never cut, for a cut answer teaches the model to stop early."""
    examples, rejected = [], []
    for row in rows:
        ledger.enter()
        made = example_of(row, handler, tokenizer, max_length)
        if isinstance(made, RowReason):
            ledger.reject(made)
            rejected.append((row.row_id, made))
        else:
            ledger.accept()
            examples.append(made)
    return examples, rejected


def encode(
    rows: Sequence[PreparedRow], handler: TaskHandler, architecture: Architecture, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Encoded], list[tuple[str, RowReason]]]:
    """Every row as its architecture reads it, or as (row_id, reason)."""
    kept, rejected = [], []
    for row in rows:
        ledger.enter()
        made = architecture.encode(row.row_id, handler.prompt(row.payload), handler.completion(row.payload))
        reason = None
        if made.tokens > max_length:
            reason = RowReason.OVER_LENGTH
        elif made.supervised < architecture.least_supervised:
            reason = RowReason.NOTHING_SUPERVISED
        if reason:
            ledger.reject(reason)
            rejected.append((row.row_id, reason))
        else:
            ledger.accept()
            kept.append(made)
    return kept, rejected


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
