"""Search: projects, runs, deployments, rows and reason codes by a few letters of their name."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args

from pydantic import BaseModel
from sqlalchemy import ColumnElement, String, and_, cast, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from brewslm.observe.chunks import chunk_of
from brewslm.observe.reasons import every_reason
from brewslm.rows import RowFile
from brewslm.rows.identity import id_parts
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import DeploymentVersion, ForgottenRow, Project, Run

Kind = Literal["project", "run", "import", "export", "deployment", "row", "reason"]
MOST = 6
"""Of one kind."""
_RUN_KINDS: dict[str, Kind] = {"import": "import", "export": "export"}


class Hit(BaseModel):
    """One thing that was found.

    Attributes:
        id: How the kind is asked for: a project's number, a run's id, a deployment's number, a row's id, a reason's code.
        title: Its name.
        detail: What it is, in a few words.
        project: Where it stands; None for a reason code, and for a run of no project.
    """

    kind: Kind
    id: str
    title: str
    detail: str
    project: int | None = None


def search(text: str, project: int | None = None) -> list[Hit]:
    """What holds every word of the text: at most six of each kind, newest first; what is so called stands first of all.

    Args:
        text: Words; "" finds the newest runs.
        project: Runs and deployments of this project alone; of all, when left out.
    """
    words = text.split()
    with reading() as session:
        found = [*_projects(session, words), *_runs(session, words, project), *_deployments(session, words, project)]
        found += _row(session, words, project)
    found += _reasons(words)
    order = get_args(Kind)
    return sorted(found, key=lambda hit: (text.strip().lower() not in (hit.title.lower(), hit.id), order.index(hit.kind)))


def _holds(words: Sequence[str], *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Every word stands in one of the columns."""
    said = [cast(column, String) for column in columns]
    return and_(True, *(or_(*(one.icontains(word, autoescape=True) for one in said)) for word in words))


def _projects(session: Session, words: Sequence[str]) -> Iterator[Hit]:
    if not words:
        return
    for one in session.scalars(select(Project).where(_holds(words, Project.name)).order_by(Project.id.desc()).limit(MOST)):
        yield Hit(kind="project", id=str(one.id), title=one.name, detail=one.base_model, project=one.id)


def _runs(session: Session, words: Sequence[str], project: int | None) -> Iterator[Hit]:
    query = select(Run).where(_holds(words, Run.id, Run.operation)).order_by(Run.created_at.desc(), Run.number.desc())
    if project is not None:
        query = query.where(Run.project_id == project)
    exact = session.get(Run, "".join(words).lower())
    found = {one.id: one for one in ([exact] if exact else []) + list(session.scalars(query.limit(MOST)))}
    for one in list(found.values())[:MOST]:
        kind = _RUN_KINDS.get(one.kind, "run")
        yield Hit(kind=kind, id=one.id, title=one.id, detail=f"{one.operation}, {one.state}", project=one.project_id)


def _deployments(session: Session, words: Sequence[str], project: int | None) -> Iterator[Hit]:
    table = DeploymentVersion
    query = select(table).where(_holds(words, table.slot, table.export_id, table.state)).order_by(table.id.desc()).limit(MOST)
    if not words:
        return
    if project is not None:
        query = query.where(table.project_id == project)
    for one in session.scalars(query):
        said = f"{one.variant} of {one.export_id}, {one.state}"
        yield Hit(kind="deployment", id=str(one.id), title=f"{one.slot} v{one.version}", detail=said, project=one.project_id)


def _row(session: Session, words: Sequence[str], project: int | None) -> Iterator[Hit]:
    """A row, by its whole id."""
    asked = words[0] if len(words) == 1 else ""
    if not asked.startswith("r") or id_parts(asked) == (asked, 0):
        return
    every = list(session.scalars(select(Project).order_by(Project.id)))
    for one in sorted(every, key=lambda each: each.id != project):
        if _has_row(session, one.id, asked):
            yield Hit(kind="row", id=asked, title=asked, detail=f"a row of {one.name}", project=one.id)
            return


def _has_row(session: Session, project: int, row_id: str) -> bool:
    folder = project_folder(project)
    files = [folder / "synthetic" / "synthetic.jsonl", *sorted((folder / "rejected").glob("*.jsonl"))]
    if any(RowFile(path).find(row_id) for path in files if path.exists()):
        return True
    return session.get(ForgottenRow, (project, row_id)) is not None or chunk_of(folder, row_id) is not None


def _reasons(words: Sequence[str]) -> list[Hit]:
    lowered = [word.lower() for word in words]
    found = [one for one in every_reason() if lowered and all(word in one.code for word in lowered)]
    found.sort(key=lambda one: not one.code.startswith(lowered[0]))
    return [Hit(kind="reason", id=one.code, title=one.code, detail=one.meaning) for one in found[:MOST]]
