"""The audit spine: emit, chain, verify."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from brewslm.audit import heads
from brewslm.audit.chain import Fault, FaultKind
from brewslm.audit.chain import verify as verify_chains
from brewslm.audit.emit import emit_event, gaps
from brewslm.audit.heads import Head, head, unmet
from brewslm.audit.lost import bring_back

__all__ = ["Fault", "FaultKind", "Head", "bring_back", "emit_event", "gaps", "head", "unmet", "verify"]


def verify(session: Session, project_id: int | None = None, kept: Sequence[Head] = ()) -> tuple[int, list[Fault]]:
    """Recompute every chain, or one project's, and hold them against the heads that this home noted, and those that were kept.

    Args:
        kept: Heads that were exported.

    Returns:
        How many events were read, and each fault found. An edited event is named by its id; so is a missing one by its sequence.
    """
    database = heads.identity(session.connection())
    marks, faults = heads.noted(database)
    for one in kept:
        if one.database == database:
            marks += one.marks()
        else:
            faults.append(heads.of_another_database(one, database))
    count, found = verify_chains(session, project_id, marks)
    return count, faults + found
