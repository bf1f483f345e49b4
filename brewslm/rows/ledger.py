"""Every stage's books: rows in = rows out + rows rejected, by reason."""

from collections import Counter

from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.reasons.system import LedgerOpen
from brewslm.rows.reasons import RowReason


class Ledger(BaseModel):
    """A closed account of one stage."""

    model_config = ConfigDict(frozen=True)

    rows_in: int
    rows_out: int
    rejected: dict[str, int] = {}

    @property
    def rejected_count(self) -> int:
        """All rejected rows."""
        return sum(self.rejected.values())

    def counts(self) -> dict[str, int]:
        """As one flat mapping, for an event's payload."""
        return {"rows_in": self.rows_in, "rows_out": self.rows_out, **self.rejected}


class LedgerKeeper:
    """Counts while a stage runs; `closed()` asserts that nothing is missing."""

    def __init__(self) -> None:
        self._in = self._out = 0
        self._rejected: Counter[str] = Counter()

    def enter(self, rows: int = 1) -> None:
        """Rows came in."""
        self._in += rows

    def accept(self, rows: int = 1) -> None:
        """Rows go on."""
        self._out += rows

    def reject(self, reason: RowReason, rows: int = 1) -> None:
        """Rows end here, for this reason."""
        self._rejected[reason.value] += rows

    def closed(self) -> Ledger:
        """The account.

        Raises:
            StageError(LedgerOpen): Rows in are not rows out plus rows rejected: a row was lost or doubled, which is a bug.
        """
        if self._in != self._out + self._rejected.total():
            cause = f"{self._in} rows in, {self._out} out, {dict(self._rejected)} rejected"
            raise StageError(LedgerOpen(rows_in=self._in, rows_out=self._out, rejected=dict(self._rejected)), cause=cause)
        return Ledger(rows_in=self._in, rows_out=self._out, rejected=dict(self._rejected))
