import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.reasons.system import LedgerOpen
from brewslm.rows import LedgerKeeper, RowReason

BOOKINGS = st.lists(st.tuples(st.sampled_from(["accept", *RowReason]), st.integers(1, 50)))


def keep(bookings) -> LedgerKeeper:
    keeper = LedgerKeeper()
    for what, rows in bookings:
        keeper.enter(rows)
        keeper.accept(rows) if what == "accept" else keeper.reject(what, rows)
    return keeper


@given(BOOKINGS)
def test_rows_in_are_rows_out_plus_rows_rejected(bookings):
    ledger = keep(bookings).closed()
    assert ledger.rows_in == ledger.rows_out + ledger.rejected_count == sum(rows for _, rows in bookings)
    assert sum(ledger.counts().values()) == 2 * ledger.rows_in
    for reason in RowReason:
        assert ledger.rejected.get(reason.value, 0) == sum(rows for what, rows in bookings if what == reason)


@given(BOOKINGS, st.sampled_from(["enter", "accept"]))
def test_a_lost_or_doubled_row_keeps_the_ledger_open(bookings, mistake):
    keeper = keep(bookings)
    getattr(keeper, mistake)()
    with pytest.raises(StageError) as open_:
        keeper.closed()
    reason = open_.value.reason
    assert isinstance(reason, LedgerOpen) and reason.rows_in != reason.rows_out + sum(reason.rejected.values())
