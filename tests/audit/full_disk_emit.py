"""`unshare … python -m tests.audit.full_disk_emit ROOM`: events on a disk of that size, in a mount namespace of its own.

Fills the disk, emits, makes room again, emits; prints what came of it as JSON.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import orjson

from brewslm.audit import bring_back, emit_event, lost, verify
from brewslm.audit.committer import COMMITTER
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.store.database import engine, reading
from brewslm.store.tables import RunEvent
from tests.running import until

sources: list[str] = []
seconds: list[float] = []


def emit() -> None:
    sources.append(f"jsonl:{len(sources)}")
    reason = DatasetImportFailed(source=sources[-1], mapper=None, problem="source_not_found", error="x" * 2000)
    began = time.monotonic()
    emit_event(reason, project_id=1, actor="test")
    seconds.append(time.monotonic() - began)


def all_back() -> bool:
    """The writer of events brings back too, so that this may find it at work."""
    lost._not_before = 0.0
    bring_back()
    return not lost.is_waiting()


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={sys.argv[1]}", "tmpfs", str(folder)], check=True)
    os.environ["BREWSLM_HOME"] = str(folder / "home")
    engine()
    emit()
    bring_back()  # nothing waits; but it lays the ballast, as any operation does
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"\0" * 4096):
            pass
    while len(lost.waiting()) < 3 and len(sources) < 3000:  # the room that the log has already may be used up first
        emit()
    assert COMMITTER.settle()  # it may be trying to bring them back, and rename their file as it is read here
    waiting_when_full = len(lost.waiting())
    kept = b"".join(path.read_bytes() for path in (folder / "home" / "audit").glob("lost*.jsonl"))
    on_disk = len([line for line in kept.replace(b"\0", b"").splitlines() if line])
    (folder / "filler").unlink()
    emit()
    until(all_back, "the lost events")
    with reading() as session:
        found = session.query(RunEvent).all()
        faults = verify(session)[1]
    told = [orjson.loads(one.payload).get("source") for one in found]
    result = {
        "waiting_when_full": waiting_when_full, "on_disk": on_disk, "waiting_after": len(lost.waiting()),
        "missing_sources": [source for source in sources if told.count(source) != 1], "faults": len(faults),
        "late": sum(one.written_at is not None for one in found), "longest": max(seconds),
    }  # fmt: skip
    print(orjson.dumps(result).decode())


main()
