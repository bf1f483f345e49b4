"""gold.import: draw rows into the draft, from a manifest's eval split or from an import that the mapper made."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers import handler_if_any
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.eval import GoldRowsImported
from brewslm.reasons.refusals import GoldRowsKnown, GoldSampleTooLarge, InvalidRequest, UnknownRun
from brewslm.rows import LedgerKeeper, RowFile, RowReason
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.identity import content_hash
from brewslm.rows.manifest import OutputSchema, PreparedData
from brewslm.rows.splitting import draw, first_of
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.stages.prepare.adapters import AdapterPreset, adapter_named, as_text
from brewslm.stages.prepare.columns import SourceColumn
from brewslm.stages.prepare.gold.draft import GoldName
from brewslm.stages.prepare.gold.rows import draft_of, label_of, preset_of, rows_of
from brewslm.stages.prepare.job import Former, ImportedRows, imported
from brewslm.store import tables
from brewslm.store.records import Records

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_ROWS = 10_000
"""Of one version: people must look at each."""
Taken = tuple[str, dict[str, Any] | None, RowReason | None]
"""A row's id, its canonical fields, or why it can't be taken."""


class GoldImportRequest(ProjectRequest):
    """Draw rows into the draft of a gold set.

    Attributes:
        manifest_version: From this manifest's eval split; without it and import_run, from that of the manifest in use.
        import_run: From the rows of this import instead, such as "import-3".
        adapter: How the rows of an import are read; "auto" takes the preset of their task profile.
        rows: How many; left out, all.
        sample: "random", or "stratified": each value of `by` in its proportion.
        by: A field of the rows, or a column of their source; left out, the label.
        seed: The same seed draws the same rows; a larger sample of it holds the smaller one.
    """

    name: GoldName
    manifest_version: int | None = None
    import_run: str | None = None
    adapter: str = "auto"
    rows: int | None = Field(default=None, ge=1)
    sample: Literal["random", "stratified"] = "random"
    by: str | None = None
    seed: int = 42

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.manifest_version is not None and self.import_run is not None:
            raise ValueError("manifest_version and import_run are two sources: give one of them")
        if self.by is not None and self.sample != "stratified":
            raise ValueError("by says how a stratified sample is drawn: ask for sample=stratified")
        return self


class DrawnRow(BaseModel):
    """A row that goes into the draft."""

    model_config = ConfigDict(frozen=True)

    row_id: str
    payload: dict[str, Any]


class GoldImportJob(Job):
    """Paths, and what is in the draft by now.

    Attributes:
        manifest: Whose eval split is drawn from; None where an import is.
        known_ids, known_contents: Of the draft's rows, their ids and the hashes of what they say.
        spans: Bytes of the synthetic file that count.
    """

    project: int
    gold_set: str
    task_profile: str | None
    manifest: Former | None
    imports: list[ImportedRows]
    synthetic: Path
    spans: list[tuple[int, int]]
    known_ids: list[str]
    known_contents: list[str]
    request: GoldImportRequest


class GoldImportResult(Result):
    """What was drawn; the rows themselves go into the draft, and are not shown with the run."""

    gold_set: str
    source: str
    task_profile: str
    adapter_preset: str
    rows: int
    drawn: list[DrawnRow] = []

    def shown(self) -> dict[str, Any]:
        """Without the rows."""
        return self.model_dump(mode="json", exclude={"drawn"})


def resolve(request: GoldImportRequest, records: Records) -> GoldImportJob:
    """Name the source, and what the draft holds.

    Raises:
        StageError(UnknownGoldSet, GoldSetIsLocked): There is no draft of this name.
        StageError(NotPrepared, UnknownRun): The manifest or the import is not there, or was undone.
    """
    gold_set = draft_of(records.session, records.project_id, request.name)
    known = rows_of(records.session, gold_set)
    imports, manifest = imported(records), None
    if request.import_run is None:
        used = records.manifest(request.manifest_version)
        manifest = Former(version=used.version, path=records.folder / used.path, sha256=used.sha256)
    elif request.import_run not in {one.run_id for one in imports}:
        next_step = f"See brewslm import list --project {records.project_id}."
        raise StageError(UnknownRun(), where=request.import_run, cause="no import of this id has rows", next_step=next_step)
    return GoldImportJob(
        project=records.project_id, gold_set=label_of(gold_set), task_profile=gold_set.task_profile, manifest=manifest,
        imports=imports, synthetic=records.folder / "synthetic" / "synthetic.jsonl", spans=records.live_spans(),
        known_ids=[row.row_id for row in known], known_contents=[content_hash(row.payload) for row in known], request=request,
    )  # fmt: skip


def run(job: GoldImportJob, context: Context) -> GoldImportResult:
    """Draw.

    Raises:
        StageError(GoldSampleTooLarge, GoldRowsKnown): There are not so many rows, or all of them are in.
        StageError(InvalidRequest): The rows are of another task profile than the set's, or have no such field or column.
    """
    profile, adapter, rows = _source(job)
    keeper, drawable = LedgerKeeper(), list[DrawnRow]()
    ids, contents = set(job.known_ids), set(job.known_contents)
    for row_id, payload, reason in context.track(rows, None, "rows"):
        keeper.enter()
        content = content_hash(payload) if payload is not None else ""
        if reason is None and (row_id in ids or content in contents):
            reason = RowReason.DUPLICATE_ROW
        if reason is not None or payload is None:
            keeper.reject(reason or RowReason.PROFILE_MISMATCH)
            continue
        ids.add(row_id)
        contents.add(content)
        drawable.append(DrawnRow(row_id=row_id, payload=payload))
    wanted = _wanted(job, len(drawable))
    drawn = _drawn(job, preset_of(profile, adapter), drawable, wanted)
    keeper.accept(len(drawn))
    keeper.reject(RowReason.NOT_DRAWN, len(drawable) - len(drawn))
    return GoldImportResult(
        ledger=keeper.closed(), gold_set=job.gold_set, source=_named(job), task_profile=profile, adapter_preset=adapter,
        rows=len(drawn), drawn=drawn,
    )  # fmt: skip


def record(result: GoldImportResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Enter the rows in the draft."""
    assert run.project_id is not None and result.ledger is not None
    gold_set = draft_of(session, run.project_id, result.gold_set.partition("@")[0])
    gold_set.task_profile = result.task_profile
    gold_set.adapter_preset = gold_set.adapter_preset or result.adapter_preset
    for row in result.drawn:
        session.add(tables.GoldRow(gold_set_id=gold_set.id, row_id=row.row_id, origin=result.source, payload=row.payload))
    seed = run.request["seed"]
    return [GoldRowsImported(gold_set=result.gold_set, source=result.source, seed=seed, ledger=result.ledger.counts())]


def _named(job: GoldImportJob) -> str:
    return f"eval of v{job.manifest.version}" if job.manifest else str(job.request.import_run)


def _source(job: GoldImportJob) -> tuple[str, str, Iterator[Taken]]:
    """The rows' task profile, the preset's name, and the rows."""
    if job.manifest is not None:
        data = PreparedData(job.manifest.path, job.manifest.sha256)
        profile = data.manifest.task_profile
        _of_one_profile(job, profile)
        lines = RowFile(job.manifest.path.parent / data.manifest.splits["eval"].path).rows()
        left = (line for line in lines if not is_forgotten(line["payload"]))
        return profile, data.manifest.adapter_preset, ((line["row_id"], line["payload"], None) for line in left)
    (one,) = (each for each in job.imports if each.run_id == job.request.import_run)

    def mapped() -> Iterator[dict[str, Any]]:
        return RowFile(job.synthetic).rows([one.span])

    def fitting(known: Mapping[str, AdapterPreset]) -> str:
        counts = {name: sum(preset.adapt(row["payload"]) is not None for row in mapped()) for name, preset in known.items()}
        return min(counts, key=lambda name: (-counts[name], name))

    first = next(iter(mapped()))["task_profile"]
    adapter, preset = adapter_named(job.request.adapter, lambda: str(first), job.task_profile, fitting)
    _of_one_profile(job, preset.task_profile)
    return preset.task_profile, adapter, _adapted(mapped(), preset)


def _of_one_profile(job: GoldImportJob, profile: str) -> None:
    if job.task_profile not in (None, profile):
        cause = f"{job.gold_set} holds {job.task_profile} rows, and these are of {profile}"
        raise StageError(InvalidRequest(), "the rows don't fit the gold set", cause=cause, next_step="Draft another gold set.")


def _adapted(rows: Iterator[dict[str, Any]], preset: AdapterPreset) -> Iterator[Taken]:
    handler = handler_if_any(preset.task_profile, OutputSchema(scoring_mode=preset.scoring_mode))
    for row in rows:
        if is_forgotten(row["payload"]):
            yield row["row_id"], None, RowReason.FORGOTTEN
            continue
        adapted = preset.adapt(row["payload"]) if row["task_profile"] in preset.accepts else None
        if adapted is None:
            yield row["row_id"], None, RowReason.PROFILE_MISMATCH
        elif not preset.target(adapted).strip():
            yield row["row_id"], None, RowReason.NOTHING_SUPERVISED
        else:
            yield row["row_id"], adapted, handler.check(adapted) if handler else None


def _wanted(job: GoldImportJob, found: int) -> int:
    wanted = job.request.rows
    if not found and job.known_ids:
        raise StageError(GoldRowsKnown(), where=f"{job.gold_set} from {_named(job)}")
    if not found or (wanted or 0) > found:
        cause = f"{found:,} rows of {_named(job)} can be drawn, and {wanted or 1:,} were asked for"
        raise StageError(GoldSampleTooLarge(), where=job.gold_set, cause=cause)
    if len(job.known_ids) + (wanted or found) > MOST_ROWS:
        cause = f"a version holds {MOST_ROWS:,} rows at most, {len(job.known_ids):,} are in and {wanted or found:,} would come"
        raise StageError(InvalidRequest(), "too many rows for people to review", cause=cause, next_step="Ask for fewer --rows.")
    return wanted or found


def _drawn(job: GoldImportJob, preset: AdapterPreset, rows: list[DrawnRow], wanted: int) -> list[DrawnRow]:
    import numpy as np

    draws = np.array([draw(job.request.seed, row.row_id) for row in rows], np.int64)
    strata = np.zeros(len(rows), np.int64)
    if job.request.sample == "stratified":
        strata = np.unique(_values(job, preset, rows), return_inverse=True)[1]
    return [row for row, taken in zip(rows, first_of(draws, strata, wanted).tolist(), strict=True) if taken]


def _values(job: GoldImportJob, preset: AdapterPreset, rows: list[DrawnRow]) -> list[str]:
    """Of each row the value by which the sample is stratified.

    Raises:
        StageError(InvalidRequest): The task has no label, and no field was named.
        StageError(ColumnMissing, SourceChanged): It is a column that some source of the rows does not have, or can't give.
    """
    by = job.request.by or preset.stratify_by
    if by is None:
        cause = f"{preset.task_profile} rows have no label"
        raise StageError(InvalidRequest(), "by what is the sample to be stratified?", cause=cause, next_step="Name it with --by.")
    if any(by in row.payload for row in rows):
        return [as_text(row.payload.get(by, "")) for row in rows]
    wanted = {row.row_id for row in rows}
    column, found = SourceColumn(job.imports, by), dict[str, str]()
    for line in RowFile(job.synthetic).rows(job.spans):
        value = column.of(line)
        if line["row_id"] in wanted:
            found[line["row_id"]] = value
    return [found.get(row.row_id, "") for row in rows]
