"""What is kept of a run that failed: its fault's signature in the event, and what that was made of in the run's folder."""

from contextlib import suppress
from datetime import UTC, datetime

import orjson

from brewslm.pipeline.working import TIME_LIMIT
from brewslm.processes.environment import ran_on
from brewslm.processes.origin import Origin, signature
from brewslm.processes.verdict import Cause
from brewslm.reasons import FailedRun, Reason
from brewslm.store.files import read_json, run_folder
from brewslm.store.tables import Run

FILE = "faults.jsonl"
"""In a run's folder: a line for each attempt that failed."""


def signed(reason: Reason, cause: Cause, code: str, origin: Origin) -> Reason:
    """The reason with its fault's signature, where it is one that says so.

    Args:
        code: Of what was raised, which may be a refusal that this reason tells of.
    """
    if not isinstance(reason, FailedRun):
        return reason
    return reason.model_copy(update={"signature": signature(cause, code, origin)})


def keep(run: Run, cause: Cause, reason: Reason, origin: Origin) -> None:
    """Append what the signature was made of, but no foreign word; where the disk is full, the event alone must do."""
    if cause in (Cause.CANCELLED, Cause.PAUSED):
        return
    limit = run_folder(run.id) / TIME_LIMIT
    line = {
        "ts": datetime.now(UTC).isoformat(timespec="milliseconds"), "attempt": run.attempt, "cause": cause.value,
        "reason_code": reason.code, "signature": getattr(reason, "signature", ""), **origin.model_dump(),
        "environment": ran_on(), "time_limit": read_json(limit) if limit.exists() else None,
    }  # fmt: skip
    if cause is not Cause.REFUSED:
        del line["said"]  # it may quote somebody's data: the run's log has it, and nothing else
    with suppress(OSError):
        run_folder(run.id).mkdir(parents=True, exist_ok=True)
        with (run_folder(run.id) / FILE).open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")
