"""Read-only views of runs, which the API calls tasks."""

from sqlalchemy import select

from brewslm.pipeline import execute, runs
from brewslm.pipeline.runs import RunView
from brewslm.store.database import reading
from brewslm.store.files import read_json, run_folder
from brewslm.store.records import project_of
from brewslm.store.tables import Run

PAGE = 50
LOG_BYTES = 2**20


def task(run_id: str) -> RunView:
    """One run, with its progress.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    return execute.look(run_id)


def tasks(
    project: int | None = None,
    *,
    operation: str | None = None,
    state: str | None = None,
    parent: str | None = None,
    limit: int = PAGE,
) -> list[RunView]:
    """Runs, newest first.

    Args:
        state: As shown; "running" leaves out those that are interrupted.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(Run).order_by(Run.created_at.desc(), Run.id.desc())
    if project is not None:
        query = query.where(Run.project_id == project)
    if operation is not None:
        query = query.where(Run.operation == operation)
    if parent is not None:
        query = query.where(Run.parent_run_id == parent)
    if state is not None:
        query = query.where(Run.state == ("running" if state == "interrupted" else state))
    found: list[RunView] = []
    with reading() as session:
        if project is not None:
            project_of(session, project)
        for run in session.scalars(query.execution_options(yield_per=100)):
            shown = run_view(run)
            if state in (None, shown.state):
                found.append(shown)
            if len(found) == limit:
                break
    return found


def log_of(run_id: str) -> str:
    """The end of what the run's process printed, at most a megabyte; "" where it printed nothing.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    execute.look(run_id)
    path = run_folder(run_id) / "log.txt"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")


def run_view(run: Run) -> RunView:
    """The row as a view, with its last progress while it runs."""
    path = run_folder(run.id) / "progress.json"
    return runs.view(run, read_json(path) if run.state == "running" and path.exists() else None)
