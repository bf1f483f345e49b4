"""From prepared rows to training examples."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import TaskHandler
from brewslm.models.packing import Example
from brewslm.models.templates import example_ids
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
        ids, prompt_length = example_ids(tokenizer, handler.prompt(row.payload), handler.completion(row.payload))
        reason = None
        if len(ids) > max_length:
            reason = RowReason.OVER_LENGTH
        elif len(ids) - prompt_length < 2:  # the end mark alone
            reason = RowReason.NOTHING_SUPERVISED
        if reason:
            ledger.reject(reason)
            rejected.append((row.row_id, reason))
        else:
            ledger.accept()
            examples.append(Example(row.row_id, ids, prompt_length))
    return examples, rejected
