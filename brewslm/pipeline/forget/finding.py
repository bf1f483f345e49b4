"""What a row said, where, what says the same, and who saw it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.pipeline.forget import places
from brewslm.pipeline.forget.sweep import lines_touched
from brewslm.processes.trace import read_trace
from brewslm.reasons.refusals import UnknownRow
from brewslm.rows import RawRow, RowFile, SentinelRow, content_hash
from brewslm.rows.forgetting import Forgetting, is_telling, texts_of
from brewslm.rows.identity import id_parts
from brewslm.rows.placement import placements
from brewslm.sources import CONNECTORS, names_a_path
from brewslm.store import tables
from brewslm.store.files import project_folder, read_json, run_folder

_ROUNDS = 5
Line = dict[str, Any]


class SourceLine(BaseModel):
    """A line of a kept source that says what a row says; `path` is relative to the project's folder."""

    source_id: int
    locator: str
    scheme: str
    path: str
    content_hash: str
    position: int


class Saw(BaseModel):
    """What was made with a row: it can't forget, so it is named.

    Attributes:
        manifests: Such as "v2: train".
        experiments: Trained on a manifest that has it, with the steps that learned from it: "exp-3: steps 1, 7".
        evaluations: Asked it, or are of an experiment that was trained on it: "eval-2 of exp-3".
        exports: Made of these experiments.
        deployments: Versions of these exports: "deployment-4 (default v2, promoted)".
        gold_sets: Such as "support@2".
    """

    manifests: list[str] = []
    experiments: list[str] = []
    evaluations: list[str] = []
    exports: list[str] = []
    deployments: list[str] = []
    gold_sets: list[str] = []


class ForgetPlan(BaseModel):
    """Before anything is changed: what would be.

    Attributes:
        row_ids: That would be forgotten.
        same: Rows that say the same, were mended from it or into it, or are chunks of its document: forgotten with `equal`.
        document: Of a chunk, its document's number: it can only be forgotten as a whole.
        files: File (relative to the home) to how many of its lines change.
        sources: Lines of kept sources that are emptied.
        outside: What is not the project's to change: the files that were imported, uploads.
        forgotten_by: The run that did it already.
    """

    project: int
    row_ids: list[str]
    same: list[str]
    document: int | None
    files: dict[str, int]
    sources: list[SourceLine]
    outside: list[str]
    saw: Saw
    forgotten_by: str | None


class Found(BaseModel):
    """What is looked for, and where: kept in the project while it is being removed, for whoever has to go on.

    Attributes:
        texts: Somebody's data: this never leaves the project's folder `forgetting`.
        content_keys: Row to hash of what it says, which stays so that it is not imported again.
        whole: Files that were what their hashes say before anything was changed.
        changed: File to its hash before and now, of those that were rewritten so far.
    """

    row_ids: list[str]
    texts: list[str]
    same: list[str]
    document: int | None
    sources: list[SourceLine]
    content_keys: dict[str, str]
    whole: list[str] = []
    changed: dict[str, tuple[str, str]] = {}

    def forgetting(self) -> Forgetting:
        """As files are swept with it."""
        return Forgetting(frozenset(self.row_ids), tuple(self.texts), self.document is not None)


def project_holding(session: Session, row_id: str) -> int:
    """The project that knows a row, forgotten or not.

    Raises:
        StageError(UnknownRow): None does.
    """
    for project in session.scalars(select(tables.Project.id).order_by(tables.Project.id)):
        if _holds(session, project, row_id):
            return project
    raise StageError(UnknownRow(), where=row_id)


def _holds(session: Session, project: int, row_id: str) -> bool:
    folder = project_folder(project)
    if session.get(tables.ForgottenRow, (project, row_id)) or RowFile(folder / "synthetic" / "synthetic.jsonl").find(row_id):
        return True
    if placements(folder / "prepared", row_id) or any(RowFile(one).find(row_id) for one in folder.glob("rejected/*.jsonl")):
        return True
    gold = select(tables.GoldRow.id).join(tables.GoldSet, tables.GoldSet.id == tables.GoldRow.gold_set_id)
    drawn = gold.where(tables.GoldSet.project_id == project, tables.GoldRow.row_id == row_id)
    return session.scalars(drawn).first() is not None or any(_chunks(folder, lambda line: line["row_id"] == row_id))


def _chunks(folder: Path, wanted: Callable[[Line], bool]) -> Iterator[Line]:
    return filter(wanted, RowFile(folder / "cleaned" / "chunks.jsonl").rows())


def find(session: Session, project: int, row_id: str, equal: bool) -> Found:
    """Read everything that a row said, where it says it; with `equal` also what says the same."""
    ids, folder = {row_id}, project_folder(project)
    chunk = next(_chunks(folder, lambda line: line["row_id"] == row_id), None)
    document = chunk["document"] if chunk else None
    lines = _lines(folder, ids)
    known = session.get(tables.ForgottenRow, (project, row_id))
    same = _same(folder, ids, lines, document) | set(known.same if known else ()) - ids
    for _ in range(_ROUNDS if equal else 0):
        if not same - ids:
            break
        ids |= same
        lines = _lines(folder, ids)
        same |= _same(folder, ids, lines, document)
    sources = list(_source_lines(session, project, ids))
    said = {text for line in lines for text in texts_of(line)}
    said |= {text for one in sources for text in _source_texts(folder, one)}
    own = set(filter(is_telling, said - _of_the_task(folder)))
    own -= _said_by_others(folder, ids, own)
    keys = {line["row_id"]: content_hash(line["payload"]) for line in lines if line.get("payload") and "mapper" in line}
    return Found(
        row_ids=sorted(ids), texts=sorted(own), same=sorted(same - ids), document=document, sources=sources, content_keys=keys,
    )  # fmt: skip


def _lines(folder: Path, ids: Iterable[str]) -> list[Line]:
    """Every line of the project's row files that is one of these rows'."""
    wanted = Forgetting(frozenset(ids), ())
    found = []
    for path in places.files([folder]):
        if path.suffix == ".jsonl":
            with path.open("rb") as file:
                found += [row for row in map(_row, filter(wanted.touches, file)) if row.get("row_id") in wanted.row_ids]
    return found


def _row(line: bytes) -> Line:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}


def _same(folder: Path, ids: set[str], lines: list[Line], document: int | None) -> set[str]:
    """Rows whose longest text is one of theirs, their parents and children, and the other chunks of the document."""
    said = {text for line in lines for text in _longest(line)}
    found = {line["parent"] for line in lines if line.get("parent")}
    for path in (folder / "synthetic" / "synthetic.jsonl", *sorted(folder.glob("rejected/*.jsonl"))):
        found |= {row["row_id"] for row in RowFile(path).rows() if row.get("parent") in ids or said & _longest(row)}
    if document is not None:
        found |= {line["row_id"] for line in _chunks(folder, lambda line: line["document"] == document)}
    return found - ids


def _longest(row: Line) -> set[str]:
    """The longest text of what a row says, where it says enough to be told by it."""
    texts = texts_of({name: row[name] for name in ("payload", "raw", "text") if name in row})
    longest = max(texts, key=len, default="")
    return {longest} if is_telling(longest) else set()


def _source_lines(session: Session, project: int, ids: Iterable[str]) -> Iterator[SourceLine]:
    sources = list(session.scalars(_of(tables.Source, project)))
    for prefix, position in map(id_parts, sorted(ids)):
        for one in sources:
            if prefix == f"r{one.content_hash[:16]}" and position:
                yield SourceLine(
                    source_id=one.id, locator=one.locator, scheme=one.scheme, path=one.path, content_hash=one.content_hash,
                    position=position,
                )  # fmt: skip


def _source_texts(folder: Path, one: SourceLine) -> list[str]:
    path = folder / one.path
    if not path.is_file():
        return []
    row = next((row for row in CONNECTORS[one.scheme].rows(path) if row.position >= one.position), None)
    if row is None or row.position != one.position:
        return []
    return [row.head] if isinstance(row, SentinelRow) else list(texts_of(row.values)) if isinstance(row, RawRow) else []


def _said_by_others(folder: Path, ids: set[str], texts: set[str]) -> set[str]:
    """Of the texts those that a row says which is not forgotten, such as a system prompt: they are not this row's own."""
    wanted, found = Forgetting(frozenset(), tuple(texts)), set[str]()
    for path in (folder / "synthetic" / "synthetic.jsonl", *folder.glob("rejected/*.jsonl"), folder / "cleaned" / "chunks.jsonl"):
        if path.exists() and texts:
            with path.open("rb") as file:
                for row in map(_row, filter(wanted.touches, file)):
                    found |= texts.intersection(texts_of(row)) if row.get("row_id") not in ids else set()
    return found


def _of_the_task(folder: Path) -> set[str]:
    """Labels, entity types and fields of the data manifests."""
    found: set[str] = set()
    for path in folder.glob("prepared/v*/manifest.json"):
        schema = read_json(path).get("output_schema", {})
        found.update(*(schema.get(name, ()) for name in ("labels", "entity_types", "fields")))
    return found


def plan(session: Session, project: int, row_id: str, equal: bool) -> ForgetPlan:
    """What forgetting a row would change, and who saw it. It changes nothing."""
    found, folder = find(session, project, row_id, equal), project_folder(project)
    forgetting = found.forgetting()
    counts = {path: lines_touched(path, forgetting) for path in places.files(places.folders(session, project))}
    known = session.get(tables.ForgottenRow, (project, row_id))
    return ForgetPlan(
        project=project, row_ids=found.row_ids, same=found.same, document=found.document,
        files={places.shown(path): count for path, count in counts.items() if count}, sources=found.sources,
        outside=outside(session, found), saw=saw(session, project, folder, found.row_ids),
        forgotten_by=known.run_id if known else None,
    )  # fmt: skip


def outside(session: Session, found: Found) -> list[str]:
    """What the rows came from, and is not the project's own."""
    said = [f"{one.locator}, record {one.position:,}{_upload(one.locator)}" for one in found.sources]
    document = session.get(tables.Document, found.document) if found.document is not None else None
    return [*dict.fromkeys(said), *([f"the file that {document.name} was added from"] if document else [])]


def _upload(locator: str) -> str:
    scheme, _, reference = locator.partition(":")
    return " (uploaded)" if names_a_path(scheme) and "/uploads/" in reference else ""


def saw(session: Session, project: int, folder: Path, row_ids: Iterable[str]) -> Saw:
    """By placements, traces and tables."""
    found, wanted = Saw(), set(row_ids)
    versions: dict[int, set[str]] = {}
    for row_id in sorted(wanted):
        for one in placements(folder / "prepared", row_id):
            versions.setdefault(one.version, set()).add(one.split or f"rejected ({one.reason})")
    found.manifests += [f"v{version}: {', '.join(sorted(splits))}" for version, splits in sorted(versions.items())]
    version_of = {one.id: one.version for one in session.scalars(_of(tables.DataManifest, project))}
    concerned = set()
    for experiment in session.scalars(_of(tables.Experiment, project)):
        splits = versions.get(version_of[experiment.manifest_id], set())
        if splits & {"train", "dev"}:
            found.experiments.append(_trained(experiment.run_id, wanted))
        if splits & {"train", "dev", "eval", "gold"}:
            concerned.add(experiment.run_id)
    for evaluation in session.scalars(_of(tables.Evaluation, project)):
        if evaluation.experiment_id in concerned:
            found.evaluations.append(f"{evaluation.run_id} of {evaluation.experiment_id}")
    exports = {one.run_id: one for one in session.scalars(_of(tables.Export, project)) if one.experiment_id in concerned}
    found.exports += [f"{run_id} of {one.experiment_id}" for run_id, one in exports.items()]
    for version in session.scalars(_of(tables.DeploymentVersion, project)):
        if version.export_id in exports:
            found.deployments.append(f"deployment-{version.id} ({version.slot} v{version.version}, {version.state})")
    gold = select(tables.GoldSet).join(tables.GoldRow, tables.GoldRow.gold_set_id == tables.GoldSet.id).distinct()
    mine = gold.where(tables.GoldSet.project_id == project, tables.GoldRow.row_id.in_(wanted))
    found.gold_sets += [f"{one.name}@{one.version}" for one in session.scalars(mine)]
    return found


def _of(table: Any, project: int) -> Any:
    return select(table).where(table.project_id == project)


def _trained(experiment: str, wanted: set[str]) -> str:
    path = run_folder(experiment) / "trace.jsonl"
    steps = [line["step"] for line in read_trace(path, "step") if wanted & set(line["row_ids"])] if path.exists() else []
    return f"{experiment}: " + (f"steps {', '.join(map(str, steps))}" if steps else "in its manifest, in no step of its trace")
