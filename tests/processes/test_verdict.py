import signal

import pytest

from brewslm.processes.verdict import Cause, Ending, cause_of

TABLE = [
    (Ending(0, wrote_result=True), Cause.FINISHED),
    (Ending(0, wrote_result=True, sent="cancel"), Cause.FINISHED),  # it was done before the signal came
    (Ending(0), Cause.CRASHED),
    (Ending(1, error_kind="crash"), Cause.CRASHED),
    (Ending(3), Cause.CRASHED),
    (Ending(1, error_kind="stage_error"), Cause.REFUSED),
    (Ending(1, error_kind="memory"), Cause.OOM),
    (Ending(1, error_kind="paused"), Cause.PAUSED),
    (Ending(-signal.SIGTERM, error_kind="paused", sent="cancel"), Cause.CANCELLED),
    (Ending(1, wrote_result=True), Cause.CRASHED),
    (Ending(-signal.SIGTERM, sent="cancel"), Cause.CANCELLED),
    (Ending(-signal.SIGKILL, sent="cancel", kernel_oom_kills=1), Cause.CANCELLED),
    (Ending(-signal.SIGTERM, sent="timeout"), Cause.TIMEOUT),
    (Ending(-signal.SIGKILL), Cause.KILLED),
    (Ending(-signal.SIGKILL, kernel_oom_kills=1), Cause.OOM),
    (Ending(-signal.SIGSEGV, kernel_oom_kills=1), Cause.KILLED),
]


@pytest.mark.parametrize(("ending", "cause"), TABLE, ids=str)
def test_why_a_child_ended(ending, cause):
    found, evidence = cause_of(ending)
    assert found is cause and evidence


def test_a_kill_without_evidence_says_so():
    assert cause_of(Ending(-signal.SIGKILL))[1] == "ended by SIGKILL, with no sign of memory trouble"


def test_a_child_that_did_not_heed_us_is_told_of():
    assert cause_of(Ending(-signal.SIGTERM, sent="cancel"))[1] == "cancelled on request"
    assert cause_of(Ending(-signal.SIGKILL, sent="cancel"))[1] == "cancelled on request, by SIGKILL after its grace"
