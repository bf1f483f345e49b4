"""From prepared rows to training examples. A row is never cut: a cut answer teaches the model to stop early."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import Architecture, Encoded
from brewslm.models.packing import Example
from brewslm.models.templates import example_ids
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

E = TypeVar("E", Example, Encoded)


def tokenise(
    rows: Sequence[PreparedRow], handler: TaskHandler, tokenizer: Any, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Example], list[tuple[str, RowReason]]]:
    """Every row as an example for a causal model, or as (row_id, reason)."""

    def example(row: PreparedRow) -> Example:
        ids, prompt_length = example_ids(tokenizer, handler.prompt(row.payload), handler.completion(row.payload))
        return Example(row.row_id, ids, prompt_length)

    return _sorted_out(map(example, rows), lambda made: len(made.ids), 2, max_length, ledger)  # the end mark alone is no answer


def encode(
    rows: Sequence[PreparedRow], handler: TaskHandler, architecture: Architecture, max_length: int, ledger: LedgerKeeper
) -> tuple[list[Encoded], list[tuple[str, RowReason]]]:
    """Every row as its architecture reads it, or as (row_id, reason)."""
    made = (architecture.encode(row.row_id, handler.prompt(row.payload), handler.completion(row.payload)) for row in rows)
    return _sorted_out(made, lambda one: one.tokens, architecture.least_supervised, max_length, ledger)


def _sorted_out(
    made: Iterable[E], length: Callable[[E], int], least: int, max_length: int, ledger: LedgerKeeper
) -> tuple[list[E], list[tuple[str, RowReason]]]:
    kept, rejected = [], []
    for one in made:
        ledger.enter()
        reason = None
        if length(one) > max_length:
            reason = RowReason.OVER_LENGTH
        elif one.supervised < least:
            reason = RowReason.NOTHING_SUPERVISED
        if reason:
            ledger.reject(reason)
            rejected.append((one.row_id, reason))
        else:
            ledger.accept()
            kept.append(one)
    return kept, rejected
