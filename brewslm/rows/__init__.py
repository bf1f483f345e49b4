"""Rows: what they are, who they are, where they are kept, and the books over them."""

from brewslm.rows.identity import content_hash, row_id
from brewslm.rows.ledger import Ledger, LedgerKeeper
from brewslm.rows.model import RawRow, RejectedRow, RowBlock, SentinelRow
from brewslm.rows.reasons import RowReason
from brewslm.rows.rowfile import RowFile, Span

__all__ = [
    "Ledger",
    "LedgerKeeper",
    "RawRow",
    "RejectedRow",
    "RowBlock",
    "RowFile",
    "RowReason",
    "SentinelRow",
    "Span",
    "content_hash",
    "row_id",
]
