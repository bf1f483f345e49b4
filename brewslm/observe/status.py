"""The lifecycle map of one project: the state of each stage, one figure that matters, and the next best step."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from brewslm.audit import gaps
from brewslm.observe.facts import GATE_EXITS, Facts, facts
from brewslm.observe.figures import FIGURES, Counts
from brewslm.observe.next_step import NextStep, next_step
from brewslm.pipeline.lifecycle import STAGES
from brewslm.pipeline.operation import LifecycleStage
from brewslm.pipeline.runs import RunView
from brewslm.reasons import REGISTRY
from brewslm.store.database import reading
from brewslm.store.records import project_of


class StageState(StrEnum):
    """The five states of a cell of the map."""

    NOT_BEGUN = "not_begun"
    RUNNING = "running"
    DONE = "done"
    NEEDS_YOU = "needs_you"
    FAILED = "failed"


class StageView(BaseModel):
    """One cell of the map.

    Attributes:
        figure: The one figure that matters; "" before the stage has begun.
        counts: What stands behind it, as numbers.
        since: When the stage's newest run ended, or began.
        run_id: That run.
        progress: {done, total, unit, figures} while it runs.
    """

    number: int
    id: str
    title: str
    optional: bool
    state: StageState
    figure: str
    counts: Counts
    since: datetime | None
    run_id: str | None
    progress: dict[str, Any] | None


class StatusView(BaseModel):
    """The whole map.

    Attributes:
        gaps: Events of this project that could not be written.
    """

    project: int
    name: str
    stages: list[StageView]
    next: NextStep
    gaps: int


def status(project: int) -> StatusView:
    """The project's map.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        name = project_of(session, project).name
        found = facts(session, project)
        missing = gaps(session, project)
    stages = [_cell(stage, found) for stage in STAGES]
    return StatusView(project=project, name=name, stages=stages, next=next_step(found), gaps=missing)


def _cell(stage: LifecycleStage, found: Facts) -> StageView:
    measure = FIGURES.get(stage.id)
    begun, figure, counts = measure(found) if measure else (False, "", {})
    run = found.newest.get(stage.id)
    state = _state(run, begun)
    if state is StageState.DONE and (counts.get("blockers") or _waits_for_a_person(stage.id, found)):
        state = StageState.NEEDS_YOU
    if run is not None and state in (StageState.RUNNING, StageState.FAILED):
        figure = _of_run(run)
    since = _since(run, found)
    return StageView(
        number=stage.number,
        id=stage.id,
        title=stage.title,
        optional=stage.optional,
        state=state,
        figure=figure,
        counts=counts,
        since=since if state is not StageState.NOT_BEGUN else None,
        run_id=run.task_id if run else None,
        progress=run.progress if run else None,
    )


def _state(run: RunView | None, begun: bool) -> StageState:
    """By the stage's newest run; where it has none (a read leaves none), by what stands in the tables."""
    if run is None or (run.state == "cancelled" and begun):
        return StageState.DONE if begun else StageState.NOT_BEGUN
    if run.state in ("queued", "running"):
        return StageState.RUNNING
    if run.state in ("interrupted", "cancelled"):
        return StageState.NEEDS_YOU
    if run.state == "failed":
        reason = REGISTRY.get((run.problem or {}).get("code", ""))
        return StageState.NEEDS_YOU if reason and reason.exit_code in GATE_EXITS else StageState.FAILED
    return StageState.DONE


def _waits_for_a_person(stage: str, found: Facts) -> bool:
    if stage == "clean":
        return any(document.cleaned is None for document in found.documents)
    if stage == "evaluate":
        return found.evaluation is not None and not found.evaluation.promotable
    return stage == "deploy" and bool(found.versions) and found.versions[0].state == "pending"


def _of_run(run: RunView) -> str:
    if run.state == "failed":
        return str((run.problem or {}).get("code", ""))
    done = run.progress or {}
    return f"{done['done'] / done['total']:.0%}" if done.get("total") else run.state


def _since(run: RunView | None, found: Facts) -> datetime | None:
    if run is not None:
        return run.ended_at or run.started_at or run.created_at
    return found.import_run.ended_at if found.import_run else None
