"""prepare.run: what is asked, what is frozen, what is left."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import func, select

from brewslm.errors import StageError
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.reasons.refusals import InvalidRequest, NothingToPrepare, NotPrepared
from brewslm.rows import Span
from brewslm.rows.gold import GoldFile
from brewslm.rows.manifest import OutputSchema
from brewslm.rows.splitting import Sizes
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.records import Records, imports_of, locked_gold_sets
from brewslm.store.tables import DataManifest, Source, now

PiiPolicy = Literal["report", "block", "off"]


class PrepareRequest(ProjectRequest):
    """Split the project's rows into train (with its dev slice) and eval.

    Attributes:
        task_profile: Left out: that of most rows.
        adapter: An adapter preset: "auto" takes that of the task profile.
        train_rows: Rows to train on; left out: all that dev and eval leave.
        dev_rows, dev_share: Left out: a tenth, at most 100. They come beside those of train.
        eval_rows, eval_share: Left out: a fifth, at most 400.
        group_by: A column of the source (or "document") whose equal values stay on one side; left out: equal texts do.
        time_by: A column of the source with a time: the latest rows are held out.
        resplit: Draw anew, though that moves rows between splits; otherwise the split of the manifest in use goes on.
        max_tokens: The longest row; left out: the task's recipe says.
        pii: Personal data in rows: count it, turn its rows away, or don't look.
        contexts: So many of the project's chunks go to each question that has no passages (rag-grounded).
    """

    task_profile: str | None = None
    adapter: str = "auto"
    train_rows: int | None = Field(default=None, ge=1)
    dev_rows: int | None = Field(default=None, ge=0)
    dev_share: float | None = Field(default=None, ge=0, lt=1)
    eval_rows: int | None = Field(default=None, ge=1)
    eval_share: float | None = Field(default=None, gt=0, lt=1)
    seed: int = 42
    group_by: str | None = None
    time_by: str | None = None
    resplit: bool = False
    max_tokens: int | None = Field(default=None, ge=1)
    pii: PiiPolicy = "report"
    contexts: int = Field(default=0, ge=0, le=20)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        for name in ("eval", "dev"):
            if getattr(self, f"{name}_rows") is not None and getattr(self, f"{name}_share") is not None:
                raise ValueError(f"{name}_rows and {name}_share say the same twice: give one of them")
        if self.group_by and self.time_by:
            raise ValueError("group_by and time_by are two ways to split: give one of them")
        if (self.eval_share or 0) + (self.dev_share or 0) >= 1:
            raise ValueError("eval_share and dev_share leave nothing to train on")
        return self

    def sizes(self) -> Sizes:
        """What was asked of eval and dev."""
        return Sizes(eval_rows=self.eval_rows, eval_share=self.eval_share, dev_rows=self.dev_rows, dev_share=self.dev_share)


class ImportedRows(BaseModel):
    """One import's rows in the synthetic file, and the kept source that they came from."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    span: Span
    scheme: str
    source: Path
    content_hash: str
    kept_sha256: str | None = None
    is_gold: bool


class Former(BaseModel):
    """The manifest in use: its split goes on."""

    model_config = ConfigDict(frozen=True)

    version: int
    path: Path
    sha256: str


class PrepareJob(Job):
    """Paths and figures.

    Attributes:
        spans: Bytes of the synthetic file that count.
        chunks: The chunks of cleaned documents; the file may be missing.
        gold: The project's locked gold sets, every version: none of their rows is trained on.
    """

    project: int
    version: int
    created_at: str
    base: BaseModelInfo
    synthetic: Path
    spans: list[Span]
    imports: list[ImportedRows]
    chunks: Path
    prepared: Path
    former: Former | None
    gold: list[GoldFile] = []
    request: PrepareRequest


class PrepareResult(Result):
    """A frozen manifest; `path` is relative to the project's folder, `rows` are per split.

    Attributes:
        continued: The version whose split goes on; None when it was drawn anew.
        notes: What a person should know before going on.
    """

    version: int
    path: str
    sha256: str
    task_profile: str
    adapter_preset: str
    output_schema: OutputSchema
    rows: dict[str, int]
    continued: int | None
    pii_findings: dict[str, int]
    notes: list[str]


def resolve(request: PrepareRequest, records: Records) -> PrepareJob:
    """Name the rows as they are committed now.

    Raises:
        StageError(NothingToPrepare): There are neither rows nor chunks.
        StageError(BaseModelNotFound): The project's base model is gone.
    """
    spans, chunks = records.live_spans(), records.folder / "cleaned" / "chunks.jsonl"
    if not spans and not (chunks.is_file() and chunks.stat().st_size):
        raise StageError(NothingToPrepare(), where=f"project {records.project_id}", cause="no rows were committed yet")
    if request.contexts and not chunks.is_file():
        next_step = "Add documents and clean them: brewslm documents add, then brewslm clean."
        raise StageError(InvalidRequest(), "there are no passages", cause="no document was cleaned", next_step=next_step)
    newest = select(func.max(DataManifest.version)).where(DataManifest.project_id == records.project_id)
    return PrepareJob(
        project=records.project_id,
        version=(records.session.scalar(newest) or 0) + 1,
        created_at=now().isoformat(timespec="seconds"),
        base=base_model(records.base_locator(None)),
        synthetic=records.folder / "synthetic" / "synthetic.jsonl",
        spans=spans,
        imports=imported(records),
        chunks=chunks,
        prepared=records.folder / "prepared",
        former=_former(records),
        gold=gold_files(records),
        request=request,
    )


def imported(records: Records) -> list[ImportedRows]:
    """The imports whose rows count, with the sources that they came from."""
    found = []
    for one in imports_of(records.session, records.project_id):
        if one.undone_by is None and one.accepted_count:
            source = records.session.get_one(Source, one.source_id)
            found.append(
                ImportedRows(
                    run_id=one.run_id, span=(one.start_byte, one.end_byte), scheme=source.scheme,
                    source=records.folder / source.path, content_hash=source.content_hash, kept_sha256=source.kept_sha256,
                    is_gold=one.is_gold,
                )
            )  # fmt: skip
    return found


def gold_files(records: Records) -> list[GoldFile]:
    """The project's locked gold sets, as a job names them."""
    return [
        GoldFile(name=one.name, version=one.version, path=records.folder / (one.path or ""), sha256=one.sha256 or "")
        for one in locked_gold_sets(records.session, records.project_id)
    ]


def _former(records: Records) -> Former | None:
    try:
        used = records.manifest()
    except StageError as none:
        if not isinstance(none.reason, NotPrepared):
            raise
        return None
    return Former(version=used.version, path=records.folder / used.path, sha256=used.sha256)
