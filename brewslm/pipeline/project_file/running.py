"""project.apply and pipeline.run: what a project file asks for is done, each part a run of its own, and what is done is left.

After each part the next one is held against the project anew, so that only what its inputs really changed is done. One that
stopped goes on where it stopped: asked again in the same words it is the same run, and a training goes on at its checkpoint.
"""

from typing import TYPE_CHECKING

from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.pipeline import runs
from brewslm.pipeline.operation import Failure
from brewslm.pipeline.piloting import Pilot
from brewslm.pipeline.project_file.now import Look, Now
from brewslm.pipeline.project_file.plan import Part, StageName, Step, parts_of, step_of
from brewslm.pipeline.project_file.schema import ProjectFile
from brewslm.pipeline.runs import RunView
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.refusals import RunConflict
from brewslm.reasons.system import PipelineStopped
from brewslm.stages.contract import ProjectRequest, Request, Result
from brewslm.store.database import reading
from brewslm.store.records import run_of
from brewslm.store.tables import Project, Run

if TYPE_CHECKING:
    from brewslm.pipeline.execute import OnProgress

UNFINISHED = ("failed", "interrupted", "cancelled", "paused")


class ApplyRequest(ProjectRequest):
    """Make the project what a file says: whatever is not so yet is done, and nothing else."""

    file: ProjectFile


class PipelineRequest(ProjectRequest):
    """Run the stages that a file asks for, as far as their inputs have changed.

    Attributes:
        from_stage, to_stage: Only from and to these, both inside; what lies before is taken as it is.
    """

    file: ProjectFile
    from_stage: StageName | None = None
    to_stage: StageName | None = None


class PipelineResult(Result):
    """What was done.

    Attributes:
        steps: In their order; `run` names the run that did each, now or before.
        gates_missed: The required gates that the newest evaluation did not meet, where one was asked for.
    """

    steps: list[Step]
    gates_missed: list[str] = []


def compose(request: ApplyRequest | PipelineRequest, run_id: str, context: Context) -> PipelineResult:
    """Do what is not done yet, one part after another.

    Raises:
        StageError(PipelineStopped): A part can't be done, or failed; it is named.
        Cancelled: A person asked to stop.
    """
    named = "Applying" if isinstance(request, ApplyRequest) else "The pipeline"
    pilot = Pilot(run_id, context, named, lambda at, code, said: PipelineStopped(at=at, problem=code, error=said))
    first, last = (None, None) if isinstance(request, ApplyRequest) else (request.from_stage, request.to_stage)
    steps: list[Step] = []
    try:
        for part in parts_of(first, last):
            with reading() as session:
                now = Now(session, request.project, request.file)
                looks, newest = list(part.look(now)), now.newest_run(part.operation)
            steps += [_step(part, look, pilot, request.file, newest.id if newest else "") for look in looks]
    finally:
        pilot.leave_others()
    return PipelineResult(steps=steps, gates_missed=_missed(steps))


def _step(part: Part, look: Look, pilot: Pilot, file: ProjectFile, newest: str) -> Step:
    """Do one part, if need be.

    Args:
        newest: The newest run of its operation. It is part of the key, so that what was undone by hand since is done again.
    """
    if look.error is not None:
        pilot.stop(look.operation, look.error)
    if look.done:
        return step_of(part, look, "up_to_date")
    asked, key = look.request, f"{look.fingerprint}:{newest}"
    assert asked is not None  # what is neither done nor impossible can be asked for
    if look.before is not None:
        kept = pilot.run(look.before, key)
        asked = asked.model_copy(update={"content_hash": (kept.result or {})["content_hash"]})
    view = pilot.run(asked, key)
    if view.operation == "preflight.run" and not (view.result or {})["passed"] and not (file.train and file.train.fail_open):
        pilot.blocked(view)
    return step_of(part, look, "run", run=view.task_id)


def _missed(steps: list[Step]) -> list[str]:
    evaluated = next((step.run for step in steps if step.operation == "evaluate.run"), None)
    if evaluated is None:
        return []
    with reading() as session:
        card = (run_of(session, evaluated).result or {}).get("scorecard", {})
    return [gate["gate_id"] for gate in card.get("gates", ()) if gate["required"] and not gate["met"]]


def failure(failed: Failure) -> Reason:
    """The reason of one that was cancelled or crashed: where it was."""
    begun = [name for name in failed.figures if "." in name]
    return PipelineStopped(at=begun[-1] if begun else "", problem=failed.problem, error=failed.error)


def ask(
    actor: str, request: ApplyRequest | PipelineRequest, *, detach: bool = False, on_progress: "OnProgress | None" = None
) -> RunView:
    """Ask for it, or go on with the one of the same words that stopped last.

    Args:
        detach: The workers shall do it; otherwise it is done here and now.

    Raises:
        StageError(RunConflict): Such a run is queued, or runs at this moment.
        RunFailed: It stopped.
    """
    from brewslm.pipeline import execute

    known = unfinished(request)
    if known is None:
        return execute.queue(actor, request) if detach else execute.call(actor, request, on_progress=on_progress)
    execute.resume(actor, known, detach=detach)
    return execute.look(known) if detach else execute.perform(known, on_progress)


def unfinished(request: Request) -> str | None:
    """The newest run of the project that was asked in the same words, when it stopped before its end.

    Raises:
        StageError(RunConflict): It is queued, or runs at this moment.
    """
    from brewslm.pipeline.lifecycle import operation_for

    operation, body = operation_for(request).name, request.model_dump(mode="json")
    query = select(Run).where(Run.operation == operation, Run.project_id == body["project"]).order_by(Run.number.desc())
    with reading() as session:
        newest = session.scalars(query).first()
    if newest is None or newest.request != body:
        return None
    state = runs.view(newest).state
    if state in ("queued", "running"):
        what = f"{operation} was not begun again"
        step = f"See brewslm task show {newest.id}."
        raise StageError(RunConflict(), what, where=newest.id, cause=f"the same is {state}", next_step=step)
    return newest.id if state in UNFINISHED else None


def project_for(actor: str, file: ProjectFile, project: int | None) -> int:
    """The project that a file is for: the one of this number, or of the file's name, which is made if there is none."""
    from brewslm.pipeline import execute

    found = project if project is not None else known_project(file)
    if found is None:
        found = execute.call(actor, file.project).project
    assert found is not None
    return found


def known_project(file: ProjectFile) -> int | None:
    """The project of the file's name."""
    with reading() as session:
        return session.scalar(select(Project.id).where(Project.name == file.project.name))
