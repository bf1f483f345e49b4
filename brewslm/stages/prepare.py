"""prepare.run: freeze the project's rows as a data manifest, the one source of truth for everything after it."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm import presets
from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.prepare import DatasetPrepared
from brewslm.reasons.refusals import InvalidRequest, NothingToPrepare
from brewslm.rows import Ledger, LedgerKeeper, RowFile, RowReason, Span
from brewslm.rows.manifest import Manifest, OutputSchema, SplitFile
from brewslm.rows.splitting import Candidate, Split, assign, counts, default_sizes, text_key
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import new_folder, project_folder, sha256, sync_folder, write_json
from brewslm.store.records import Records, project_of
from brewslm.store.tables import DataManifest, Run, now

FILES = ("manifest.json", "train.jsonl", "eval.jsonl")


class PrepareRequest(ProjectRequest):
    """Split the project's rows into train (with its dev slice) and eval.

    Attributes:
        task_profile: Left out: that of most rows.
        train_rows: Rows to train on; left out: all that dev and eval leave.
        dev_rows: Left out: a tenth, at most 100. They come beside those of train.
        eval_rows: Left out: a fifth, at most 400.
    """

    task_profile: str | None = None
    train_rows: int | None = Field(default=None, ge=1)
    dev_rows: int | None = Field(default=None, ge=0)
    eval_rows: int | None = Field(default=None, ge=1)
    seed: int = 42


class AdapterPreset(BaseModel):
    """How the rows of one task profile are read; a file of presets/adapters/.

    Attributes:
        input_field: The payload's field that is asked: two rows with the same text there must not stand on two sides.
        stratify_by: The field whose values each split holds in proportion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_profile: str
    scoring_mode: str
    input_field: str
    stratify_by: str | None = None


class PrepareJob(Job):
    """Paths and figures; `chunks` are the cleaned documents, which hold no right answer to learn from."""

    project: int
    version: int
    created_at: str
    synthetic: Path
    spans: list[Span]
    chunks: Path
    prepared: Path
    request: PrepareRequest


class PrepareResult(Result):
    """A frozen manifest; `path` is relative to the project's folder, `rows` are per split."""

    version: int
    path: str
    sha256: str
    task_profile: str
    adapter_preset: str
    output_schema: OutputSchema
    rows: dict[str, int]


def resolve(request: PrepareRequest, records: Records) -> PrepareJob:
    """Name the rows as they are committed now.

    Raises:
        StageError(NothingToPrepare): There is none.
    """
    spans = records.live_spans()
    if not spans:
        raise StageError(NothingToPrepare(), where=f"project {records.project_id}", cause="no rows were committed yet")
    newest = select(func.max(DataManifest.version)).where(DataManifest.project_id == records.project_id)
    return PrepareJob(
        project=records.project_id,
        version=(records.session.scalar(newest) or 0) + 1,
        created_at=now().isoformat(timespec="seconds"),
        synthetic=records.folder / "synthetic" / "synthetic.jsonl",
        spans=spans,
        chunks=records.folder / "cleaned" / "chunks.jsonl",
        prepared=records.folder / "prepared",
        request=request,
    )


@dataclass(frozen=True)
class _Plan:
    """Where each synthetic row goes, and what was seen on the way."""

    adapter: str
    preset: AdapterPreset
    placed: dict[str, Split | RowReason]


def run(job: PrepareJob, context: Context) -> PrepareResult:
    """Decide on every row, then write them in the order they came in.

    Raises:
        StageError(NothingToPrepare): No row is of the task profile that was asked for, or too few for a split.
        StageError(InvalidRequest): Dev and eval would take every row, or no preset adapts this task profile.
    """
    plan = _plan(job, context)
    with new_folder(job.prepared / f"v{job.version}") as folder:
        manifest = _write(job, plan, folder, context)
        write_json(folder / "manifest.json", manifest.model_dump(mode="json"))
        digest = sha256(folder / "manifest.json")
    return PrepareResult(
        ledger=manifest.ledger,
        version=job.version,
        path=f"prepared/v{job.version}/manifest.json",
        sha256=digest,
        task_profile=manifest.task_profile,
        adapter_preset=plan.adapter,
        output_schema=manifest.output_schema,
        rows=counts(plan.placed),
    )


def _plan(job: PrepareJob, context: Context) -> _Plan:
    asked = job.request
    profile = asked.task_profile or _dominant(job)
    adapter, preset = adapter_for(profile)
    candidates: list[Candidate] = []
    placed: dict[str, Split | RowReason] = {}
    for row in context.track(_rows(job), None, "rows"):
        payload = row["payload"]
        if row["task_profile"] != profile or not _is_scored(payload, preset):
            placed[row["row_id"]] = RowReason.OTHER_TASK
            continue
        stratum = str(payload[preset.stratify_by]) if preset.stratify_by else ""
        candidates.append(Candidate(row["row_id"], text_key(payload[preset.input_field]), stratum))
    found, sizes = len(candidates), default_sizes(len(candidates), asked.train_rows, asked.dev_rows, asked.eval_rows)
    if found < 2:
        raise StageError(NothingToPrepare(), f"{profile} rows can't be split", cause=f"there are {found}, and two are the least")
    if sizes.dev + sizes.eval >= found:
        raise StageError(
            InvalidRequest(),
            "nothing would be left to train on",
            cause=f"{found} {profile} rows, of which {sizes.dev} for dev and {sizes.eval} for eval",
            next_step="Ask for smaller --dev-rows and --eval-rows.",
        )
    placed |= assign(candidates, sizes, asked.seed)
    if not counts(placed)["train"]:
        raise StageError(NothingToPrepare(), "nothing is left to train on", cause="every row's text stands in eval or dev too")
    return _Plan(adapter, preset, placed)


def _is_scored(payload: dict[str, Any], preset: AdapterPreset) -> bool:
    """Values of named fields (kv_to_structured) have no place in their text: they can't be scored as spans."""
    return not (preset.scoring_mode == "span_set" and "fields" in payload)


def _rows(job: PrepareJob) -> Iterator[dict[str, Any]]:
    return RowFile(job.synthetic).rows(job.spans)


def _dominant(job: PrepareJob) -> str:
    seen: Counter[str] = Counter(row["task_profile"] for row in _rows(job))
    return min(seen, key=lambda profile: (-seen[profile], profile))


def adapter_for(task_profile: str) -> tuple[str, AdapterPreset]:
    """The adapter preset of a task profile, with its name.

    Raises:
        StageError(InvalidRequest): There is none.
    """
    known = {name: presets.load("adapters", name, AdapterPreset) for name in presets.names("adapters")}
    for name, preset in known.items():
        if preset.task_profile == task_profile:
            return name, preset
    profiles = ", ".join(sorted(preset.task_profile for preset in known.values()))
    raise StageError(InvalidRequest(), f"task profile {task_profile} is not known", cause=f"known: {profiles}")


@dataclass
class _Seen:
    """What the manifest tells of the rows that were kept."""

    dev: list[str] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)

    def take(self, row: dict[str, Any], split: Split, preset: AdapterPreset) -> None:
        """Note one row. Labels and types are those of train: a model can't learn what it is not shown."""
        self.sources.add(row["import_run"])
        if split == "dev":
            self.dev.append(row["row_id"])
        if split != "eval":
            payload = row["payload"]
            self.labels |= {str(payload[preset.stratify_by])} if preset.stratify_by else set()
            self.types |= {entity["type"] for entity in payload.get("entities_json", {}).get("entities", [])}


def _write(job: PrepareJob, plan: _Plan, folder: Path, context: Context) -> Manifest:
    """The split files, rejected.jsonl, and the manifest over them."""
    keeper, seen = LedgerKeeper(), _Seen()
    with ExitStack() as stack:
        files = {name: stack.enter_context(RowFile(folder / f"{name}.jsonl").append(0)) for name in ("train", "eval", "rejected")}

        def reject(row: dict[str, Any], reason: RowReason) -> None:
            keeper.reject(reason)
            files["rejected"].write({"row_id": row["row_id"], "reason": reason.value})

        for row in context.track(_rows(job), len(plan.placed), "rows"):
            keeper.enter()
            place = plan.placed[row["row_id"]]
            if isinstance(place, RowReason):
                reject(row, place)
                continue
            keeper.accept()
            seen.take(row, place, plan.preset)
            line = {"row_id": row["row_id"], "payload": row["payload"]}
            files["eval" if place == "eval" else "train"].write(line)
        for chunk in RowFile(job.chunks).rows():  # cleaned text: nobody said yet what should be learnt from it
            keeper.enter()
            reject(chunk, RowReason.NOTHING_SUPERVISED)
        rows = {split: files[split].count for split in ("train", "eval")}
    return _manifest(job, plan, seen, keeper.closed(), {split: _split_file(folder, split, rows[split]) for split in rows})


def _split_file(folder: Path, split: str, rows: int) -> SplitFile:
    return SplitFile(path=f"{split}.jsonl", sha256=sha256(folder / f"{split}.jsonl"), rows=rows)


def _manifest(job: PrepareJob, plan: _Plan, seen: _Seen, ledger: Ledger, splits: dict[str, SplitFile]) -> Manifest:
    return Manifest(
        project=job.project,
        version=job.version,
        created_at=job.created_at,
        seed=job.request.seed,
        task_profile=plan.preset.task_profile,
        adapter_preset=plan.adapter,
        output_schema=OutputSchema(
            scoring_mode=plan.preset.scoring_mode, labels=sorted(seen.labels), entity_types=sorted(seen.types)
        ),
        splits=splits,
        dev_row_ids=seen.dev,
        sources=sorted(seen.sources),
        ledger=ledger,
    )


def record(result: PrepareResult, session: Session, run: Run) -> Sequence[Reason]:
    """Enter the manifest, and point prepared/ at it."""
    assert run.project_id is not None and result.ledger is not None
    session.add(
        DataManifest(
            project_id=run.project_id, version=result.version, run_id=run.id, path=result.path, sha256=result.sha256,
            task_profile=result.task_profile, rows=result.rows,
        )
    )  # fmt: skip
    project_of(session, run.project_id).active_manifest = result.version
    session.flush()
    point_at(project_folder(run.project_id) / "prepared", result.version)
    return [
        DatasetPrepared(
            manifest_version=result.version,
            manifest_sha256=result.sha256,
            task_profile=result.task_profile,
            rows=result.rows,
            ledger=result.ledger.counts(),
        )
    ]


def point_at(prepared: Path, version: int) -> None:
    """Make prepared/manifest.json and its split files links to this version's, each switched in one step."""
    for name in FILES:
        temporary = prepared / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(f"v{version}") / name)
        temporary.replace(prepared / name)
    sync_folder(prepared)
