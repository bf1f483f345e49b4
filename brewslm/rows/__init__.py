"""Rows: what they are, who they are, where they are kept, and the books over them."""

from brewslm.rows.identity import content_key, row_id
from brewslm.rows.ledger import Ledger, LedgerKeeper
from brewslm.rows.model import RawRow, RejectedRow, SentinelRow, TransformedRow
from brewslm.rows.reasons import RowReason
from brewslm.rows.rowfile import RowFile

__all__ = [
    "Ledger",
    "LedgerKeeper",
    "RawRow",
    "RejectedRow",
    "RowFile",
    "RowReason",
    "SentinelRow",
    "TransformedRow",
    "content_key",
    "row_id",
]
