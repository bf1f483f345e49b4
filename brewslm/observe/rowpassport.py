"""The whole life of one row: where it came from, what became of it, which steps learned from it, what was answered on it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.chunks import ChunkOrigin, chunk_of, chunk_origin, lines_of
from brewslm.observe.evaluations import SYSTEM, cluster_of
from brewslm.processes.trace import read_trace
from brewslm.reasons.refusals import UnknownRow
from brewslm.rows import RowFile
from brewslm.rows.placement import placements
from brewslm.store.database import reading
from brewslm.store.files import project_folder, run_folder
from brewslm.store.records import imports_of
from brewslm.store.tables import DataManifest, Evaluation, Experiment, Project, RowFileState, Run, Source


class Origin(BaseModel):
    """Where a row came from.

    Attributes:
        locator: The source as it was named, or the document's name.
        position: Line or record number in the source, from 1; for a chunk its first character's offset, from 0.
        import_run: The run that mapped it.
    """

    locator: str
    position: int | None
    import_run: str | None = None
    mapper: str | None = None


class Fate(BaseModel):
    """How one stage's mapping ended for the row: a payload, or a reason with its detail."""

    run_id: str | None
    task_profile: str | None = None
    payload: dict[str, Any] | None = None
    reason: str | None = None
    detail: str | None = None
    raw: dict[str, Any] | None = None
    """Of a rejected row, as it stood in the source; of a sentinel, its beginning and its byte offset."""
    parent: str | None = None
    """The rejected row that this one was mended from."""
    mended_as: list[str] = []
    """Rows that were mended from this rejected one."""
    undone_by: str | None = None
    """The run that undid the import: the row counts no more."""


class Split(BaseModel):
    """Where prepare put the row: train, dev, eval, or rejected with its reason."""

    manifest_version: int
    split: str
    reason: str | None = None


class Trained(BaseModel):
    """The optimizer steps of one experiment that learned from the row."""

    experiment: str
    steps: list[int]


class Answer(BaseModel):
    """What one model answered on the row: "tuned", "base" or a baseline's name.

    Attributes:
        cluster: The name of the error cluster that a wrong answer of the tuned model is in.
    """

    evaluation: str
    experiment: str
    model: str
    output: Any
    expected: Any
    correct: bool
    cluster: str | None = None


class RowPassport(BaseModel):
    """All of it."""

    row_id: str
    project: int
    origin: Origin | None
    chunk: ChunkOrigin | None = None
    """Where it stands in its document, when it is a chunk of one."""
    fates: list[Fate]
    splits: list[Split]
    trained: list[Trained]
    answers: list[Answer]


def row_passport(row_id: str) -> RowPassport:
    """The row's life, in whichever project it stands.

    Raises:
        StageError(UnknownRow): No project knows this id.
    """
    with reading() as session:
        for project in session.scalars(select(Project.id).order_by(Project.id)):
            found = _in_project(session, project, row_id)
            if found is not None:
                return found
    raise StageError(UnknownRow(), where=row_id)


def _in_project(session: Session, project: int, row_id: str) -> RowPassport | None:
    folder = project_folder(project)
    lines = _mapped(session, folder, project, row_id)
    splits = [
        Split(manifest_version=one.version, split=one.split or "rejected", reason=one.reason)
        for one in placements(folder / "prepared", row_id)
    ]
    chunk = chunk_of(folder, row_id)
    place = chunk_origin(session, chunk) if chunk else None
    if not (lines or splits or chunk):
        return None
    return RowPassport(
        row_id=row_id,
        project=project,
        origin=Origin(locator=place.name, position=place.start) if place else _origin(session, lines),
        chunk=place,
        fates=[_fate(line) for line in lines] + ([Fate(run_id=None, payload={"text": chunk["text"]})] if chunk else []),
        splits=splits,
        trained=_trained(session, project, row_id, splits),
        answers=_answers(session, project, row_id, splits),
    )


def _mapped(session: Session, folder: Path, project: int, row_id: str) -> list[dict[str, Any]]:
    """The row's line in the synthetic file, if it was accepted, and one per import that rejected it."""
    state = session.get(RowFileState, (project, "synthetic"))
    imports = {one.run_id: one for one in imports_of(session, project)}
    synthetic = RowFile(folder / "synthetic" / "synthetic.jsonl")
    found = list(synthetic.find_all(row_id, [(0, state.committed_bytes if state else 0)]))
    for path in sorted((folder / "rejected").glob("*.jsonl")):
        if path.stem in imports and (line := RowFile(path).find(row_id)):
            children = [(one.start_byte, one.end_byte) for one in imports.values() if one.parent_import == path.stem]
            mended = [row["row_id"] for row in synthetic.rows(children) if row.get("parent") == row_id]
            found.append(line | {"import_run": path.stem, "mended_as": mended})
    undone = {run: one.undone_by for run, one in imports.items()}
    return [line | {"undone_by": undone.get(line["import_run"])} for line in found]


def _origin(session: Session, lines: list[dict[str, Any]]) -> Origin | None:
    """By the result of the import that mapped or rejected the row: it names its source and its mapper."""
    if not lines:
        return None
    line = lines[0]
    run = session.get(Run, line["import_run"])
    result = (run.result if run else None) or {}
    source = session.get(Source, line.get("source_id", result.get("source_id", 0)))
    return Origin(
        locator=source.locator if source else result.get("locator", ""),
        position=line["position"],
        import_run=line["import_run"],
        mapper=line.get("mapper", result.get("mapper_id")),
    )


def _fate(line: dict[str, Any]) -> Fate:
    return Fate(
        run_id=line.get("import_run"),
        task_profile=line.get("task_profile"),
        payload=line.get("payload"),
        reason=line.get("reason"),
        detail=line.get("detail"),
        raw=line.get("raw"),
        parent=line.get("parent"),
        mended_as=line.get("mended_as", []),
        undone_by=line.get("undone_by"),
    )


def _trained(session: Session, project: int, row_id: str, splits: list[Split]) -> list[Trained]:
    """Only experiments on a manifest whose train split has the row are looked at."""
    versions = [one.manifest_version for one in splits if one.split == "train"]
    query = (
        select(Experiment.run_id)
        .join(DataManifest, Experiment.manifest_id == DataManifest.id)
        .where(Experiment.project_id == project, DataManifest.version.in_(versions))
        .order_by(Experiment.created_at)
    )
    found = []
    for experiment in session.scalars(query):
        steps = [line["step"] for line in read_trace(run_folder(experiment) / "trace.jsonl", "step") if row_id in line["row_ids"]]
        found.append(Trained(experiment=experiment, steps=steps))
    return found


def _answers(session: Session, project: int, row_id: str, splits: list[Split]) -> list[Answer]:
    """Only evaluations on a manifest whose eval split has the row are looked at."""
    versions = [one.manifest_version for one in splits if one.split == "eval"]
    query = (
        select(Evaluation)
        .join(Experiment, Evaluation.experiment_id == Experiment.run_id)
        .join(DataManifest, Experiment.manifest_id == DataManifest.id)
        .where(Evaluation.project_id == project, DataManifest.version.in_(versions))
        .order_by(Evaluation.created_at)
    )
    found = []
    for evaluation in session.scalars(query):
        for path in sorted((project_folder(project) / "evaluations" / evaluation.run_id).glob("predictions-*.jsonl")):
            for line in lines_of(path, row_id):
                answer = {name: line[name] for name in ("output", "expected", "correct")}
                model = path.stem.removeprefix("predictions-")
                cluster = None if line["correct"] or model != SYSTEM else cluster_of(evaluation, row_id)
                found.append(
                    Answer(
                        evaluation=evaluation.run_id, experiment=evaluation.experiment_id, model=model, cluster=cluster, **answer
                    )
                )  # fmt: skip
    return found
