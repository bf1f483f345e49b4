"""Reads one locator to its end, as an import does, in a process of its own, and prints what came of it and what it cost."""

import json
import resource
import sys
from collections import Counter
from pathlib import Path

from brewslm.errors import StageError
from brewslm.rows import RawRow
from brewslm.sources import connector_of


def read(locator: str) -> dict[str, object]:
    connector, reference = connector_of(locator)
    counts: Counter[str] = Counter()
    try:
        for row in connector.load(reference):
            counts["row" if isinstance(row, RawRow) else row.reason.value] += 1
        described = connector.describe(reference)
    except StageError as error:
        return {"problem": error.reason.code, "cause": error.cause, "next_step": error.next_step}
    return {"counts": counts, "columns": len(described.columns), "reach": described.sample_reach, "notes": described.notes}


def peak_mb() -> float:
    """This process's own peak: `ru_maxrss` would be that of the test process, from which it was forked, where that is larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    found = read(sys.argv[1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(found | {"peak_mb": peak_mb(), "cpu_seconds": used.ru_utime + used.ru_stime}))
