"""What an operation is: a name under a stage, and at most three plain functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from brewslm.processes.child import LIBRARIES
from brewslm.processes.context import Context
from brewslm.processes.verdict import Cause
from brewslm.reasons import Reason
from brewslm.stages.contract import Job, Request, Result
from brewslm.store.records import Records
from brewslm.store.tables import Run


@dataclass(frozen=True)
class LifecycleStage:
    """One of the eleven stages of the product page."""

    number: int
    id: str
    title: str
    optional: bool = False


@dataclass(frozen=True)
class Failure:
    """What is known when a run has failed.

    Attributes:
        problem: The code of the refusal that caused it, or the cause ("crashed", "oom").
        error: One sentence without any row's text.
        figures: What the last progress said, such as {"step": 12}.
    """

    run_id: str
    request: Any
    cause: Cause
    problem: str
    error: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """Whatever changes something.

    Attributes:
        name: Such as "map.commit"; also the route's operationId.
        kind: Prefix of its runs' ids: "exp" gives exp-1.
        stage: The id of its lifecycle stage; "" for what belongs to none (project.create).
        resolve: Reads tables and gives a frozen job. Left out: there is no work, `record` does it all with `result=None`.
        run: Does the work; opens no table; may run in a child process.
        record: Writes tables in the transaction that closes the run; returns the reasons to emit.
        after: Called once the run is closed well, under the same locks: to remove what no table names any more. What it leaves
            undone is left, for it is repeated with the next such run.
        result: The type that `run` returns (to read it back from a child's file).
        heavy: It runs in a child process, under the machine's one `heavy` lock.
        libraries: What its child's libraries read of the environment when they are loaded.
        locks: Names of project-wide locks held from resolve to record, such as "rows".
        failure: The reason that a failure is told with, when the failure brought none of its own that is an event.
        project_of: The request's project, where the request does not name one.
        smaller: Makes the job that a run out of memory begins again with, and the reason to tell; None when none would help.
        pausable: Its job looks for the request to pause, and a resume goes on where it was.
        composes: It calls other operations (autopilot) and gets the executor as its context's parent; see execute.
        timeout_seconds: The request's time limit.
    """

    name: str
    kind: str
    stage: str
    request: type[Request]
    resolve: Callable[[Any, Records], Job] | None = None
    run: Callable[[Any, Context], Result] | None = None
    record: Callable[[Any, Session, Run], Sequence[Reason]] | None = None
    after: Callable[[Run], None] | None = None
    job: type[Job] = Job
    result: type[Result] = Result
    heavy: bool = False
    libraries: Mapping[str, str] = field(default_factory=lambda: LIBRARIES)
    locks: tuple[str, ...] = ()
    failure: Callable[[Failure], Reason] | None = None
    project_of: Callable[[Any, Session], int | None] = lambda request, _session: getattr(request, "project", None)
    compose: Callable[[Any, str, Context], Result] | None = None
    smaller: Callable[[Any, int, Path], tuple[Job, Reason] | None] | None = None
    pausable: bool = False
    timeout_seconds: Callable[[Any], float | None] = lambda _request: None
