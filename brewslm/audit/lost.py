"""Events that could not be written: spilled to a file of the home, shown as a gap meanwhile, and brought back late.

The file holds the fields of the events, which are ids, counts and hashes: never a row's text. Whoever finds it next brings them
back: the next event that can be written, the next operation, the start of a worker.
"""

import errno
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import orjson
from sqlalchemy import Connection, insert, select

from brewslm.audit.append import EVENTS, Chains, Draft, Link, moment
from brewslm.audit.files import append_lines, folder, waited_lock
from brewslm.reasons.system import EventLost
from brewslm.settings import settings
from brewslm.store.database import brief_transaction
from brewslm.store.files import says_full, sync_folder, write_all
from brewslm.store.locks import Held, lock
from brewslm.store.tables import EmitGap

log = logging.getLogger(__name__)

BALLAST_BYTES = 256 * 1024
"""Laid aside beside the spill file, and written over where the disk is full: room for some hundred events."""
MOST_IN_MEMORY = 1000
"""Events that a process keeps for the next try when not even the file can be written."""
PAUSE_SECONDS = 5.0
"""After a try that failed, before the next."""
LOCK_SECONDS, WRITE_SECONDS = 2.0, 30.0

_memory: list["Lost"] = []
_guard = threading.Lock()
_not_before = 0.0


@dataclass(frozen=True)
class Lost:
    """An event that waits to be written.

    Attributes:
        error: The type of what prevented it.
        link: The place in the chain that it may have got after all, for its transaction was under way.
    """

    draft: Draft
    error: str
    link: Link | None = None


def keep(draft: Draft, error: str, link: Link | None = None) -> None:
    """Spill one event: its line is on the disk when this returns. Never raises."""
    kept = Lost(draft if draft.ts else replace(draft, ts=moment()), error, link)
    log.error("event %s could not be written: %s; it is kept in %s", draft.reason_code, error, _spill().name)
    with _guard:
        _memory.append(kept)
        del _memory[:-MOST_IN_MEMORY]
    _empty_memory()


def _empty_memory() -> None:
    with _guard:
        if not _memory:
            return
        try:
            with waited_lock("audit-lost"):
                _write(b"".join(_line(each) for each in _memory))
            _memory.clear()
        except Exception as error:  # noqa: BLE001 - part of emit_event's promise
            log.error("%d events could not be spilled (%s); this process keeps them", len(_memory), type(error).__name__)


def is_waiting() -> bool:
    """Whether any event waits to be written."""
    return bool(_memory) or any(path.exists() for path in _files())


def waiting(project_id: int | None = None) -> list[Lost]:
    """The events that wait to be written, oldest first: each is a gap of the stream."""
    with _guard:
        found = list(_memory)
    for path in _files():
        with suppress(OSError):
            found = [*_parsed(path.read_bytes())[0], *found]
    return [each for each in found if project_id is None or each.draft.project_id == project_id]


def bring_back() -> int:
    """Write what waits, late and marked so, after an `event_lost` that tells of it; returns how many. Never raises."""
    global _not_before
    try:
        if not is_waiting():
            _lay_ballast()
            return 0
        if time.monotonic() < _not_before:
            return 0
        _empty_memory()
        with lock(settings().home / "locks" / "audit-lost-back", wait=False):
            count = _bring_back()
    except Held:  # another process is at it
        return 0
    except Exception as error:  # noqa: BLE001 - part of emit_event's promise
        log.warning("lost events could not be brought back yet: %s", type(error).__name__)
        _not_before = time.monotonic() + PAUSE_SECONDS
        return 0
    return count


def _bring_back() -> int:
    count = _from_taken() if _taken().exists() else 0  # a former try was cut off
    for path in (_full(), _spill()):
        with waited_lock("audit-lost"):
            if not path.exists():
                continue
            path.rename(_taken())
        count += _from_taken()
    return count


def _from_taken() -> int:
    taken = _taken()
    data = taken.read_bytes()
    found, unreadable = _parsed(data)
    with brief_transaction(LOCK_SECONDS, WRITE_SECONDS) as connection:
        count = _write_late(connection, found, unreadable, sha256(data).hexdigest()[:16])
    taken.unlink()
    sync_folder(taken.parent)
    return count


def _write_late(connection: Connection, found: Sequence[Lost], unreadable: int, batch: str) -> int:
    """In one transaction, and once: a batch whose file outlived its transaction is known by its `event_lost`."""
    told = select(EVENTS.c.id).where(
        EVENTS.c.reason_code == EventLost.code, EVENTS.c.payload.contains(f'"batch":"{batch}"', autoescape=True)
    )
    if connection.execute(told.limit(1)).first():
        return 0
    missing = [each for each in found if not _is_written(connection, each)]
    for number in range(unreadable):
        gap = {"ts": moment(), "project_id": 0, "reason_code": "", "error": f"line {number + 1} of batch {batch} is torn"}
        connection.execute(insert(EmitGap), gap)
    count = 0
    for project in sorted({each.draft.project_id for each in missing} | ({0} if unreadable else set())):
        of_it = [each for each in missing if each.draft.project_id == project]
        Chains.of(connection).append([_tell(project, of_it, unreadable if project == 0 else 0, batch)])
        count += sum(_append_late(connection, each) for each in of_it)
    return count


def _append_late(connection: Connection, each: Lost) -> bool:
    """By itself: one that the database will never take must not keep the others back."""
    try:
        with connection.begin_nested():
            Chains.of(connection).append([replace(each.draft, is_late=True)])
    except Exception as error:  # noqa: BLE001 - part of emit_event's promise
        gap = {"ts": each.draft.ts, "project_id": each.draft.project_id, "reason_code": each.draft.reason_code}
        connection.execute(insert(EmitGap), gap | {"error": type(error).__name__})
        return False
    return True


def _is_written(connection: Connection, kept: Lost) -> bool:
    """Its transaction went well after all, too late for the caller who had given up."""
    if kept.link is None:
        return False
    sequence, hash_ = kept.link
    where = (EVENTS.c.project_id == kept.draft.project_id, EVENTS.c.sequence == sequence, EVENTS.c.hash == hash_)
    return connection.execute(select(EVENTS.c.id).where(*where)).first() is not None


def _tell(project: int, found: Sequence[Lost], unreadable: int, batch: str) -> Draft:
    times = [each.draft.ts or "" for each in found] or [moment()]
    reason = EventLost(
        batch=batch, events=dict(Counter(each.draft.reason_code for each in found)),
        errors=dict(Counter(each.error for each in found)), first_at=min(times), last_at=max(times), unreadable=unreadable,
    )  # fmt: skip
    return Draft.of(reason, project_id=project, actor="system", run_id=None, parent_run_id=None)


def _spill() -> Path:
    return folder() / "lost.jsonl"


def _taken() -> Path:
    """The spill file while its events are brought back."""
    return folder() / "lost-coming-back.jsonl"


def _full() -> Path:
    """The ballast, once it holds events."""
    return folder() / "lost-full-disk.jsonl"


def _files() -> tuple[Path, ...]:
    return _spill(), _full(), _taken()


def _ballast() -> Path:
    return folder() / "ballast"


def _write(lines: bytes) -> None:
    """Append whole lines and sync them, or leave the file as it was."""
    try:
        append_lines(_spill(), lines)
    except OSError as error:
        if not says_full(error):
            raise
        _write_over_ballast(lines)


def _write_over_ballast(lines: bytes) -> None:
    """Its blocks are its own already: a room that was only let go would be taken by whoever writes next."""
    if not _full().exists():
        _ballast().rename(_full())
    with _full().open("r+b", buffering=0) as file:
        used = len(file.read().split(b"\0", 1)[0])
        if used + len(lines) > BALLAST_BYTES:
            raise OSError(errno.ENOSPC, "the ballast is full too")
        file.seek(used)
        write_all(file, lines)
        os.fsync(file.fileno())


def _lay_ballast() -> None:
    """So that a full disk has room for what could not be written for want of room."""
    path = _ballast()
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
    except OSError:
        path.unlink(missing_ok=True)


def _line(kept: Lost) -> bytes:
    return orjson.dumps({**asdict(kept.draft), "error": kept.error, "link": kept.link}) + b"\n"


def _parsed(data: bytes) -> tuple[list[Lost], int]:
    """The events of a spill file, and how many lines can't be read."""
    found, unreadable = [], 0
    for line in _lines(data):
        try:
            fields = orjson.loads(line)
            error, link = fields.pop("error"), fields.pop("link")
            found.append(Lost(Draft(**fields), error, tuple(link) if link else None))
        except (orjson.JSONDecodeError, TypeError, KeyError):
            unreadable += 1
    return found, unreadable


def _lines(data: bytes) -> Iterable[bytes]:
    return (line for line in data.split(b"\0", 1)[0].split(b"\n") if line)
