"""What stands in the tables about one project: read once, so that figures and next step are plain functions of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.tasks import run_view
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.pipeline.runs import RunView
from brewslm.reasons import REGISTRY, Refusal
from brewslm.store import tables
from brewslm.store.records import imports_of, manifest_of

ROW_FILE = "synthetic"
GATE_EXITS = (3, 4)
"""Exit codes of what a person must decide: a gate that is not met, a confidence that wants --force."""
MOST_REFUSED = 50
"""Refused runs in a row that are looked behind, for one that was begun."""


@dataclass(frozen=True)
class Facts:
    """One project at one moment.

    Attributes:
        newest: Per lifecycle stage, the newest run of an operation that stands under it; one that was turned away counts only
            where there is no other, for it changed nothing.
        import_run: The newest import that succeeded, and its event's payload ({} when that could not be written).
        manifest, experiment, evaluation, export: The newest of each; evaluation and export are of that experiment.
        evaluated: The payload of that evaluation's event.
        slots: Slot name to the version that answers there.
        versions: Every deployment version, newest first.
        drifted: Of the versions that answer, those whose newest drift check says that they have got worse.
    """

    project: int
    newest: dict[str, RunView]
    sources: Sequence[tables.Source]
    rows: int
    import_run: tables.Run | None
    imported: dict[str, Any]
    documents: Sequence[tables.Document]
    manifest: tables.DataManifest | None
    experiment: tables.Experiment | None
    evaluation: tables.Evaluation | None
    evaluated: dict[str, Any]
    export: tables.Export | None
    slots: dict[str, tables.DeploymentVersion]
    versions: Sequence[tables.DeploymentVersion]
    drifted: Sequence[tables.DeploymentVersion]


def facts(session: Session, project: int) -> Facts:
    """Read them."""
    import_run = _newest_import(session, project)
    experiment = _newest(session, tables.Experiment, project)
    evaluation = _newest(session, tables.Evaluation, project, experiment)
    versions = session.scalars(
        select(tables.DeploymentVersion)
        .where(tables.DeploymentVersion.project_id == project)
        .order_by(tables.DeploymentVersion.id.desc())
    ).all()
    by_id = {version.id: version for version in versions}
    answering = session.scalars(select(tables.Slot).where(tables.Slot.project_id == project))
    slots = {slot.name: by_id[slot.version_id] for slot in answering if slot.version_id is not None}
    kept = session.get(tables.RowFileState, (project, ROW_FILE))
    return Facts(
        project=project,
        newest=_newest_runs(session, project),
        sources=session.scalars(select(tables.Source).where(tables.Source.project_id == project)).all(),
        rows=kept.row_count if kept else 0,
        import_run=import_run,
        imported=_payload(session, import_run.id, "dataset_import_run") if import_run else {},
        documents=session.scalars(select(tables.Document).where(tables.Document.project_id == project)).all(),
        manifest=_manifest(session, project),
        experiment=experiment,
        evaluation=evaluation,
        evaluated=_payload(session, evaluation.run_id, "evaluation_completed") if evaluation else {},
        export=_newest(session, tables.Export, project, experiment),
        slots=slots,
        versions=versions,
        drifted=[version for version in slots.values() if _has_drifted(session, version)],
    )


def only_tried(evaluation: tables.Evaluation) -> bool:
    """Whether every required gate is met, of a pack that promotes nothing."""
    card = evaluation.scorecard
    return card.get("pack_promotes") is False and all(gate["met"] for gate in card["gates"] if gate["required"])


def _newest_runs(session: Session, project: int) -> dict[str, RunView]:
    """Of each stage the newest run that was begun; only where there is none, the newest that was refused."""
    newest: dict[str, list[tables.Run]] = {}
    refused: dict[str, list[tables.Run]] = {}
    for name, operation in OPERATIONS.items():
        if operation.stage:
            query = select(tables.Run).where(tables.Run.project_id == project, tables.Run.operation == name)
            for run in session.scalars(
                query.order_by(tables.Run.number.desc()).limit(MOST_REFUSED).execution_options(yield_per=2)
            ):
                is_refused = _turned_away(run)
                (refused if is_refused else newest).setdefault(operation.stage, []).append(run)
                if not is_refused:
                    break
    return {stage: run_view(max(runs, key=lambda run: run.created_at)) for stage, runs in (refused | newest).items()}


def _turned_away(run: tables.Run) -> bool:
    """It failed by a refusal that nobody has to decide about, such as a path with a typing error."""
    reason = REGISTRY.get((run.problem or {}).get("code", "")) if run.state == "failed" else None
    return reason is not None and issubclass(reason, Refusal) and reason.exit_code not in GATE_EXITS


def _newest_import(session: Session, project: int) -> tables.Run | None:
    """Of those that count."""
    live = [one for one in imports_of(session, project) if one.undone_by is None]
    return session.get(tables.Run, max(live, key=lambda one: one.created_at).run_id) if live else None


def _newest(session: Session, table: Any, project: int, experiment: tables.Experiment | None = None) -> Any:
    query = select(table).where(table.project_id == project)
    if hasattr(table, "experiment_id"):
        query = query.where(table.experiment_id == (experiment.run_id if experiment else ""))
    return session.scalars(query.order_by(table.created_at.desc())).first()


def _has_drifted(session: Session, version: tables.DeploymentVersion) -> bool:
    table = tables.DriftCheck
    newest = select(table.verdict).where(table.deployment_id == version.id).order_by(table.look.desc())
    return session.scalars(newest).first() == "drifted"


def _manifest(session: Session, project: int) -> tables.DataManifest | None:
    """The one in use."""
    try:
        return manifest_of(session, project)
    except StageError:
        return None


def _payload(session: Session, run_id: str, code: str) -> dict[str, Any]:
    query = select(tables.RunEvent.payload).where(tables.RunEvent.run_id == run_id, tables.RunEvent.reason_code == code)
    found = session.scalars(query.order_by(tables.RunEvent.id.desc())).first()
    payload: dict[str, Any] = orjson.loads(found) if found else {}
    return payload
