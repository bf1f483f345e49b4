"""The whole life of one row: where it came from, what became of it, which steps learned from it, what was answered on it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.chunks import ChunkOrigin, chunk_of, chunk_origin, lines_of
from brewslm.observe.evaluations import SYSTEM, cluster_of
from brewslm.observe.forgetting import ForgottenState, forgotten_state
from brewslm.processes.trace import read_trace
from brewslm.reasons.refusals import UnknownRow
from brewslm.rows import RawRow, RowFile
from brewslm.rows.placement import placements
from brewslm.sources import CONNECTORS
from brewslm.store.database import reading
from brewslm.store.files import project_folder, run_folder
from brewslm.store.records import imports_of
from brewslm.store.tables import (
    DataManifest,
    Evaluation,
    Experiment,
    GoldRow,
    GoldSet,
    Import,
    ImportConfig,
    Project,
    RowFileState,
    Run,
    Source,
)

MOST_READ = 64 * 1024**2
"""Bytes of a kept source that are read for one line of it."""


class Origin(BaseModel):
    """Where a row came from.

    Attributes:
        locator: The source as it was named, or the document's name.
        position: Line or record number in the source, from 1; for a chunk its first character's offset, from 0.
        import_run: The run that mapped it, with `mapper` and `field_map`: field to column, and option to value.
        line: The row as its kept source has it; None where that is too large to look, or gone, or no row.
    """

    locator: str
    position: int | None
    import_run: str | None = None
    mapper: str | None = None
    config_id: int | None = None
    field_map: dict[str, Any] = {}
    line: dict[str, Any] | None = None


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
    """All of it.

    Attributes:
        gold_sets: Versions of gold sets that it was drawn into, such as "support@2".
        shown_in: Evaluations that showed it to the base as one of a few right answers.
        forgotten: Its text was removed: what is told here is who it was, and what had seen it.
    """

    row_id: str
    project: int
    origin: Origin | None
    chunk: ChunkOrigin | None = None
    """Where it stands in its document, when it is a chunk of one."""
    fates: list[Fate]
    splits: list[Split]
    trained: list[Trained]
    answers: list[Answer]
    gold_sets: list[str] = []
    shown_in: list[str] = []
    forgotten: ForgottenState | None = None


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
    forgotten = forgotten_state(session, project, row_id)
    gold_sets = _gold_sets(session, project, row_id)
    if not (lines or splits or chunk or forgotten or gold_sets):
        return None
    return RowPassport(
        row_id=row_id,
        project=project,
        origin=Origin(locator=place.name, position=place.start) if place else _origin(session, folder, lines),
        chunk=place,
        fates=[_fate(line) for line in lines] + ([Fate(run_id=None, payload={"text": chunk["text"]})] if chunk else []),
        splits=splits,
        trained=_trained(session, project, row_id, splits),
        answers=_answers(session, project, row_id, splits),
        gold_sets=gold_sets,
        shown_in=_shown_in(session, project, row_id),
        forgotten=forgotten,
    )


def _gold_sets(session: Session, project: int, row_id: str) -> list[str]:
    query = select(GoldSet).join(GoldRow, GoldRow.gold_set_id == GoldSet.id).order_by(GoldSet.name, GoldSet.version)
    return [
        f"{one.name}@{one.version}"
        for one in session.scalars(query.where(GoldSet.project_id == project, GoldRow.row_id == row_id))
    ]


def _shown_in(session: Session, project: int, row_id: str) -> list[str]:
    found = session.scalars(select(Evaluation).where(Evaluation.project_id == project).order_by(Evaluation.created_at))
    systems = ((one.run_id, (one.scorecard.get("systems") or {}).values()) for one in found)
    return [run for run, every in systems if any(row_id in (one.get("shot_rows") or ()) for one in every)]


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


def _origin(session: Session, folder: Path, lines: list[dict[str, Any]]) -> Origin | None:
    """By the result of the import that mapped or rejected the row: it names its source and its mapper."""
    if not lines:
        return None
    line = lines[0]
    run = session.get(Run, line["import_run"])
    result = (run.result if run else None) or {}
    source = session.get(Source, line.get("source_id", result.get("source_id", 0)))
    mapped = session.get(Import, line["import_run"])
    config = session.get(ImportConfig, mapped.config_id) if mapped else None
    return Origin(
        locator=source.locator if source else result.get("locator", ""),
        position=line["position"],
        import_run=line["import_run"],
        mapper=line.get("mapper", result.get("mapper_id")),
        config_id=config.id if config else None,
        field_map=config.field_map if config else {},
        line=_source_line(folder / source.path, source.scheme, line["position"]) if source else None,
    )


def _source_line(path: Path, scheme: str, position: int) -> dict[str, Any] | None:
    if scheme not in CONNECTORS or not path.is_file() or path.stat().st_size > MOST_READ:
        return None
    try:
        found = next((row for row in CONNECTORS[scheme].rows(path) if row.position >= position), None)
    except StageError:
        return None
    return found.values if isinstance(found, RawRow) and found.position == position else None


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
