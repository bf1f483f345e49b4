"""Heads: the newest link of a chain, kept where the database is not.

Each home notes them in a file beside its database: by that a tail that was cut off or rewritten is found, and another database
in the place of this one. Who can change the database can change the file too; so a head can be exported, to be kept elsewhere.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from brewslm.audit.append import Link, moment
from brewslm.audit.chain import GENESIS, Fault, FaultKind, Mark
from brewslm.audit.files import append_lines, folder, waited_lock
from brewslm.settings import settings
from brewslm.store.tables import DatabaseIdentity, Project, RunEvent

log = logging.getLogger(__name__)


class Head(BaseModel):
    """The newest link of a project's chain, to be kept elsewhere and checked against later.

    Attributes:
        database: What tells this database from others.
        name: The project's; "" of what belongs to none.
        first_hash: Of the chain's first event: what tells this chain from others.
        sequence, hash, ts: Of its newest event; 0, zeros and "" when there is none.
    """

    format: Literal["brewslm-head-1"] = "brewslm-head-1"
    database: str
    project: int
    name: str
    first_hash: str
    sequence: int
    hash: str
    ts: str
    exported_at: str

    def marks(self) -> list[Mark]:
        """What a chain must meet that goes on from it."""
        found = [Mark(self.project, self.sequence, self.hash, f"the head of {self.exported_at}")] if self.sequence else []
        first = [Mark(self.project, 1, self.first_hash, f"the head of {self.exported_at}")] if self.sequence > 1 else []
        return first + found


def head(session: Session, project_id: int) -> Head:
    """The head of a project's chain, as it is now."""
    of_it = select(RunEvent).where(RunEvent.project_id == project_id)
    newest = session.scalar(of_it.order_by(RunEvent.sequence.desc()).limit(1))
    first = session.scalar(of_it.order_by(RunEvent.sequence).limit(1))
    project = session.get(Project, project_id)
    return Head(
        database=identity(session.connection()), project=project_id, name=project.name if project else "",
        first_hash=first.hash if first else GENESIS, sequence=newest.sequence if newest else 0,
        hash=newest.hash if newest else GENESIS, ts=newest.ts if newest else "", exported_at=moment(),
    )  # fmt: skip


def identity(connection: Connection) -> str:
    """What tells this database from others; made with it."""
    uid: str = connection.execute(_IDENTITY).scalar_one()
    return uid


_IDENTITY = select(DatabaseIdentity.__table__.c.uid)


def note(file: Path, database: str, heads: Mapping[int, Link]) -> None:
    """Append heads to a home's file, synced. Never raises: a head that is not noted is noted with the next one."""
    lines = b"".join(
        orjson.dumps({"database": database, "project": project, "sequence": sequence, "hash": hash_, "at": moment()}) + b"\n"
        for project, (sequence, hash_) in heads.items()
    )
    try:
        with waited_lock("audit-heads"):
            append_lines(file, lines)
    except Exception:
        log.exception("the heads of %d chains could not be noted", len(heads))


def noted(database: str) -> tuple[list[Mark], list[Fault]]:
    """What the home's file knows of this database, and whether it knows of another one in its place."""
    marks, others = [], set[str]()
    for line in _lines():
        if line["database"] == database:
            marks.append(Mark(line["project"], line["sequence"], line["hash"], f"this home's note of {line['at']}"))
        else:
            others.add(line["database"])
    faults = [
        Fault(
            FaultKind.SWAPPED_DATABASE, 0, 0, None,
            f"this home noted heads of database {other}, and its database is {database}: another one was put in its place",
        )
        for other in sorted(others)
    ]  # fmt: skip
    return marks, faults


def unmet(session: Session) -> list[Fault]:
    """Of each chain's newest note, whether the chain still has it: a quick look, for the start of a worker."""
    marks, faults = noted(identity(session.connection()))
    for mark in {mark.project_id: mark for mark in marks}.values():
        where = (RunEvent.project_id == mark.project_id, RunEvent.sequence == mark.sequence)
        found = session.execute(select(RunEvent.id, RunEvent.hash).where(*where)).tuples().first()
        if found is None or found[1] != mark.hash:
            kind = FaultKind.TRUNCATED if found is None else FaultKind.REWRITTEN
            what = f"{mark.source} has another event there"
            faults.append(Fault(kind, mark.project_id, mark.sequence, found[0] if found else None, what))
    return faults


def of_another_database(kept: Head, database: str) -> Fault:
    """An exported head that is not of this database."""
    what = f"the head of {kept.exported_at} is of database {kept.database}, and this is {database}"
    return Fault(FaultKind.SWAPPED_DATABASE, kept.project, kept.sequence, None, what)


def _lines() -> Iterable[dict[str, Any]]:
    if not path().exists():
        return
    for line in path().read_bytes().split(b"\n"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:  # the last one, of a process that was killed
            continue
        if isinstance(found, dict) and found.keys() >= {"database", "project", "sequence", "hash", "at"}:
            yield found


def path() -> Path:
    """One file a database: a home that asks a server's database has not had its own one swapped."""
    return _path(settings().home, settings().database_url)


@cache
def _path(home: Path, url: str) -> Path:
    return folder(home) / ("heads.jsonl" if not url else f"heads-{hashlib.sha256(_address(url)).hexdigest()[:12]}.jsonl")


def _address(url: str) -> bytes:
    found = make_url(url)
    return os.fsencode(f"{found.host}:{found.port}/{found.database}")
