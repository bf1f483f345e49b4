"""The chains of the event stream: whether they hold, what is missing from them, and their heads."""

from collections.abc import Sequence

from pydantic import BaseModel

from brewslm.audit import Fault, Head, gaps, head, lost, verify
from brewslm.reasons import Severity
from brewslm.reasons.system import EventLost
from brewslm.store.database import reading
from brewslm.store.records import project_of


class GapView(BaseModel):
    """An event that could not be written yet: it comes back late. Told like an event, for a timeline shows it among them.

    Attributes:
        reason_code: `event_lost`; `lost_code` is the event's own.
        ts: When it happened.
        error: The type of what prevented it.
    """

    project: int
    ts: str
    reason_code: str = EventLost.code
    severity: str = Severity.CRITICAL.value
    lost_code: str
    run_id: str | None
    actor: str
    error: str


class Verification(BaseModel):
    """What became of recomputing the chain.

    Attributes:
        events: How many were read.
        gaps: How many are missing now: those that wait, and those that are lost for good.
        waiting: Those that wait to be written.
    """

    events: int
    faults: list[Fault]
    gaps: int
    waiting: list[GapView]


def verification(project: int | None = None, kept: Sequence[Head] = ()) -> Verification:
    """Recompute one project's chain, or every chain, and hold it against what this home noted of it.

    Args:
        kept: Heads that were exported earlier.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        if project:
            project_of(session, project)
        count, faults = verify(session, project, kept)
        return Verification(events=count, faults=faults, gaps=gaps(session, project), waiting=waiting(project))


def waiting(project: int | None = None) -> list[GapView]:
    """The gaps that the stream has now, and that will be filled."""
    return [
        GapView(
            project=one.draft.project_id, ts=one.draft.ts or "", lost_code=one.draft.reason_code, run_id=one.draft.run_id,
            actor=one.draft.actor, error=one.error,
        )
        for one in lost.waiting(project)
    ]  # fmt: skip


def chain_head(project: int) -> Head:
    """The head of a project's chain (0: of what belongs to none), to be kept elsewhere.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        if project:
            project_of(session, project)
        return head(session, project)
