"""Every table. Long work never holds one open: rows are written in the short transaction that closes a run."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from brewslm.settings import settings

OF_ACADEMY = "stage = 'academy'"
"""Spelled out where it is asked for too: of a bound value SQLite does not see that the index holds it."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment that comes back with its time zone, which SQLite does not keep."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """As UTC without a zone."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """With its zone."""
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {dict[str, Any]: JSON, datetime: UtcDateTime}


class Project(Base):
    """One team's data and models."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    base_model: Mapped[str] = mapped_column(Text, default=lambda: settings().base_model)
    """Its locator: rows are measured, and documents cut, in this model's tokens."""
    active_manifest: Mapped[int | None] = mapped_column(default=None)
    """The version of the data manifest that everything after prepare reads, unless told otherwise."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Run(Base):
    """One execution of an operation, and the only place where its status stands. The API's task_id is its id."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    operation: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"))
    parent_run_id: Mapped[str | None] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20), default="queued")
    request: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True, default=None)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    __table_args__ = (
        UniqueConstraint("kind", "number"),
        Index("runs_by_project", "project_id", "operation", "number"),
        Index("runs_by_parent", "parent_run_id"),
        Index("runs_by_time", "created_at", "id"),
        Index("runs_by_state", "state", "created_at"),
    )


class Source(Base):
    """A source that was kept in the project, by the hash of its content."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    locator: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(String(20))
    content_hash: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(Text)
    """Relative to the project's folder."""
    row_count: Mapped[int]
    sentinel_counts: Mapped[dict[str, Any]]
    size_bytes: Mapped[int]
    is_whole: Mapped[bool] = mapped_column(default=True)
    """False when no more than the source's first rows were fetched."""
    kept_sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    """Of the kept copy since rows of it were forgotten; None: it is `content_hash`."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "locator", "content_hash"),)


class ImportConfig(Base):
    """A mapping that was used: an import names it as its config_id."""

    __tablename__ = "import_configs"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    locator: Mapped[str] = mapped_column(Text)
    mapper: Mapped[str] = mapped_column(String(60))
    field_map: Mapped[dict[str, Any]]
    drop_reasons: Mapped[dict[str, Any]] = mapped_column(JSON)
    key: Mapped[str] = mapped_column(String(64))
    """Hash of the fields above."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "key"),)


class Import(Base):
    """A commit: which bytes of the synthetic file are its rows. Undoing it is a tombstone: the bytes stay, and count no more."""

    __tablename__ = "imports"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    config_id: Mapped[int] = mapped_column(ForeignKey("import_configs.id"))
    parent_import: Mapped[str | None] = mapped_column(String(40), default=None)
    """The import whose rejected rows these are, mended."""
    is_gold: Mapped[bool] = mapped_column(default=False)
    """Its rows are a gold set: they are never trained on."""
    start_byte: Mapped[int] = mapped_column(BigInteger)
    end_byte: Mapped[int] = mapped_column(BigInteger)
    accepted_count: Mapped[int]
    rejected_count: Mapped[int]
    undone_by: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("imports_by_project", "project_id", "start_byte"),)


class RowFileState(Base):
    """The committed length of a project's row file: whatever lies beyond it was cut off in mid-write and is dropped."""

    __tablename__ = "row_files"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    committed_bytes: Mapped[int] = mapped_column(default=0)
    row_count: Mapped[int] = mapped_column(default=0)


class ForgottenRow(Base):
    """A row whose text was removed: who it was stays, so that it is not taken in again."""

    __tablename__ = "forgotten_rows"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    row_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    content_key: Mapped[str] = mapped_column(String(64), default="")
    """Hash of what it said; "" where it never was mapped."""
    same: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Rows that said the same and were left: they could not be found again by what it said."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class ForgottenFile(Base):
    """A file that has another hash since a row of it was forgotten."""

    __tablename__ = "forgotten_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    path: Mapped[str] = mapped_column(Text)
    """Relative to the project's folder."""
    old_sha256: Mapped[str] = mapped_column(String(64))
    new_sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("forgotten_files_by_hash", "project_id", "old_sha256"),)


class Document(Base):
    """A raw document of the project, and what cleaning found in it."""

    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(120))
    size_bytes: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(60), default=None)
    """Why cleaning rejected it."""
    cleaned: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "content_hash"),)


class DataManifest(Base):
    """A frozen split of the project's rows."""

    __tablename__ = "manifests"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    version: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    task_profile: Mapped[str] = mapped_column(String(40))
    rows: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "version"),)


class GoldSet(Base):
    """A version of a gold set: a draft that people review, or locked by its hash."""

    __tablename__ = "gold_sets"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    state: Mapped[str] = mapped_column(String(20), default="draft")
    task_profile: Mapped[str | None] = mapped_column(String(40), default=None)
    """That of its first rows."""
    adapter_preset: Mapped[str | None] = mapped_column(Text, default=None)
    path: Mapped[str | None] = mapped_column(Text, default=None)
    """Of its gold.json, relative to the project's folder, once it is locked."""
    sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    locked_by: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "name", "version"),)


class GoldRow(Base):
    """A row that was drawn into a gold set, as it was drawn."""

    __tablename__ = "gold_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    gold_set_id: Mapped[int] = mapped_column(ForeignKey("gold_sets.id"))
    row_id: Mapped[str] = mapped_column(String(200))
    origin: Mapped[str] = mapped_column(String(60))
    """Such as "eval of v3", or an import's id."""
    payload: Mapped[dict[str, Any]]
    __table_args__ = (UniqueConstraint("gold_set_id", "row_id"),)


class GoldReview(Base):
    """What one reviewer said of a row; it is never changed, for agreement is measured on it."""

    __tablename__ = "gold_reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    gold_row_id: Mapped[int] = mapped_column(ForeignKey("gold_rows.id"))
    reviewer: Mapped[str] = mapped_column(String(100))
    verdict: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    """The whole row as it should be, where it was corrected."""
    settles: Mapped[bool] = mapped_column(default=False)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("gold_reviews_by_row", "gold_row_id"),)


class Experiment(Base):
    """A training run and its adapter; its id is the run's."""

    __tablename__ = "experiments"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    manifest_id: Mapped[int] = mapped_column(ForeignKey("manifests.id"))
    base_model: Mapped[str] = mapped_column(Text)
    base_sha256: Mapped[str] = mapped_column(String(64))
    adapter_path: Mapped[str] = mapped_column(Text)
    adapter_sha256: Mapped[str] = mapped_column(String(64))
    final_train_loss: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Evaluation(Base):
    """A scorecard of an experiment on its manifest's eval split."""

    __tablename__ = "evaluations"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.run_id"))
    eval_pack: Mapped[str] = mapped_column(String(100))
    scorecard: Mapped[dict[str, Any]]
    promotable: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Export(Base):
    """An export bundle; its artifacts stand in its manifest."""

    __tablename__ = "exports"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.run_id"))
    path: Mapped[str] = mapped_column(Text)
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    artifacts: Mapped[dict[str, Any]]
    """Variant name (`gguf-q8_0`) → path in the bundle, size, sha256, agreement."""
    comparison: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    """What export.compare measured last."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class DeploymentVersion(Base):
    """One export that may serve a slot: a project's endpoint, by its name."""

    __tablename__ = "deployment_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    slot: Mapped[str] = mapped_column(String(60))
    """The endpoint's name: with the project it is the slot, in which versions are counted."""
    version: Mapped[int]
    export_id: Mapped[str] = mapped_column(ForeignKey("exports.run_id"))
    variant: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Of the target, such as {"parallel": 4}. A key of an endpoint stands here by its name alone."""
    state: Mapped[str] = mapped_column(String(20), default="pending")
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("deployment_versions.id"), default=None)
    """The version that it superseded, to which a rollback returns."""
    actor: Mapped[str] = mapped_column(String(100))
    smoke: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (
        UniqueConstraint("project_id", "slot", "version"),
        Index(
            "one_promoted_version", "project_id", "slot", unique=True, sqlite_where=text("state = 'promoted'"),
            postgresql_where=text("state = 'promoted'"),
        ),
    )  # fmt: skip


class Slot(Base):
    """Which version answers at a project's endpoint of this name. Moving this pointer is the switch."""

    __tablename__ = "slots"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("deployment_versions.id"))


class SlotSetting(Base):
    """What a slot's owner has set for the gateway: its queue, its patience, its request log. Without a row, all is as given."""

    __tablename__ = "slot_settings"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    slot: Mapped[str] = mapped_column(String(60), primary_key=True)
    values: Mapped[dict[str, Any]]
    """Only those that were set: see serving/slots.py."""


class GatewayStatistic(Base):
    """What the gateway counted of one version on one day (UTC)."""

    __tablename__ = "gateway_statistics"
    version_id: Mapped[int] = mapped_column(ForeignKey("deployment_versions.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    tally: Mapped[dict[str, Any]]
    """See serving/statistics.py."""


class DriftReference(Base):
    """What a deployment version answered to some rows when it was promoted: drift checks hold later answers against it."""

    __tablename__ = "drift_references"
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment_versions.id"), primary_key=True)
    rows_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    taken_from: Mapped[str] = mapped_column(String(10))
    """"file", or "live" where a version has no file of ours."""
    path: Mapped[str] = mapped_column(Text)
    """Of the answers, relative to the project's folder."""
    sha256: Mapped[str] = mapped_column(String(64))
    scoring: Mapped[str] = mapped_column(String(60))
    rows: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class DriftCheck(Base):
    """One look at a live version; its id is the run's."""

    __tablename__ = "drift_checks"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment_versions.id"))
    look: Mapped[int]
    """Counted from 1 for each version."""
    verdict: Mapped[str] = mapped_column(String(20))
    rows_from: Mapped[str] = mapped_column(String(100))
    rows_sha256: Mapped[str] = mapped_column(String(64))
    n: Mapped[int]
    metric: Mapped[str] = mapped_column(String(60))
    before: Mapped[float]
    value: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    fall: Mapped[float]
    worse: Mapped[int]
    better: Mapped[int]
    p_value: Mapped[float]
    tolerance: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("drift_checks_by_deployment", "deployment_id", "look"),)


class DriftSchedule(Base):
    """When the version that a slot points to is checked."""

    __tablename__ = "drift_schedules"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    slot: Mapped[str] = mapped_column(String(60))
    cron: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(60))
    gold_set: Mapped[str | None] = mapped_column(String(70), default=None)
    tolerance: Mapped[float]
    rollback: Mapped[bool] = mapped_column(default=False)
    is_paused: Mapped[bool] = mapped_column(default=False)
    handled_until: Mapped[datetime]
    """The newest tick that was seen to, or when it was set, or lifted from its pause: what is due later was missed."""
    missed: Mapped[int] = mapped_column(default=0)
    """Ticks that came while no worker was there, and were not made up for."""
    last_run_id: Mapped[str | None] = mapped_column(String(40), default=None)
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("project_id", "slot"),)


class RunEvent(Base):
    """One link of a project's append-only, hash-chained event stream."""

    __tablename__ = "run_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column()
    """0 for what belongs to no project."""
    sequence: Mapped[int]
    ts: Mapped[str] = mapped_column(String(40))
    """When it happened."""
    stage: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))
    reason_code: Mapped[str] = mapped_column(String(60))
    run_id: Mapped[str | None] = mapped_column(String(40))
    parent_run_id: Mapped[str | None] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    payload: Mapped[str] = mapped_column(Text)
    """Canonical JSON."""
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    written_at: Mapped[str | None] = mapped_column(String(40), default=None)
    """Of an event that came late, for it could not be written when it happened."""
    payload_hash: Mapped[str | None] = mapped_column(String(64), default=None)
    """Tells an edited payload from another edited field; older events have none."""
    __table_args__ = (
        UniqueConstraint("project_id", "sequence"),
        Index("run_events_by_run", "run_id"),
        Index("run_events_by_parent", "parent_run_id"),
        Index(
            "run_events_failures", "project_id", "id", sqlite_where=text("severity IN ('error', 'critical')"),
            postgresql_where=text("severity IN ('error', 'critical')"),
        ),
        Index("run_events_academy", "id", sqlite_where=text(OF_ACADEMY), postgresql_where=text(OF_ACADEMY)),
    )  # fmt: skip
    """The last two hold few events, which observe/clusters.py and academy.py read: no other event pays for them."""


class DatabaseIdentity(Base):
    """One row: what tells this database from another home's."""

    __tablename__ = "database_identity"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)


class EmitGap(Base):
    """An event that is lost for good: the stream shows a gap rather than hiding one."""

    __tablename__ = "emit_gaps"
    id: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[int]
    reason_code: Mapped[str] = mapped_column(String(60))
    error: Mapped[str] = mapped_column(String(200))


class AuditEntry(Base):
    """One call of an operation: who asked for what, through what, and whether it was accepted."""

    __tablename__ = "audit_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(String(100))
    face: Mapped[str] = mapped_column(String(10), default="", server_default="")
    """cli, api, web, schedule or python: see asking.py."""
    request_id: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """Of the HTTP request, or of the command: what belongs together has the same."""
    operation: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[int | None]
    run_id: Mapped[str | None] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(60))
    """"accepted", "resumed", or the code of a refusal."""
    __table_args__ = (Index("audit_entries_by_project", "project_id"), Index("audit_entries_by_run", "run_id"))


class SavedFilter(Base):
    """A filter of the timeline or of the explorer that somebody kept under a name."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    of: Mapped[str] = mapped_column(String(10))
    """"events" or "calls"."""
    filter: Mapped[dict[str, Any]]
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=now)
