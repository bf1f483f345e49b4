"""The tables as parts of a bundle: read in one transaction, so that events, chain and runs speak of one moment."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from brewslm.audit import gaps, verify
from brewslm.filters.redaction import Redactor
from brewslm.pipeline import runs
from brewslm.pipeline.support.contents import Contents, columns, figures, without_rows
from brewslm.pipeline.support.environment import environment
from brewslm.reasons import REGISTRY
from brewslm.store import tables
from brewslm.store.files import project_folder, read_json, run_folder

RUNS_SHARE, JOBS_SHARE, EVENTS_SHARE = 0.15, 0.15, 0.35
"""Of the room that is left when each is written; logs get the rest."""
IDS_AT_ONCE = 500
_EXPERIMENT = (
    "run_id",
    "manifest_id",
    "base_model",
    "base_sha256",
    "adapter_path",
    "adapter_sha256",
    "final_train_loss",
    "created_at",
)
_EVALUATION = ("run_id", "experiment_id", "eval_pack", "promotable", "created_at")
_EXPORT = ("run_id", "experiment_id", "path", "manifest_sha256", "artifacts", "created_at")
_VERSION = (
    "id", "slot", "version", "export_id", "variant", "target", "settings", "state", "predecessor_id", "actor", "created_at",
    "changed_at",
)  # fmt: skip
_SMOKE = ("same", "asked", "by", "problem")
_RUN = (
    "id",
    "operation",
    "parent_run_id",
    "actor",
    "attempt",
    "cancel_requested",
    "created_at",
    "started_at",
    "ended_at",
    "problem",
)


def gather(
    session: Session, project: tables.Project, of_run: str | None, redactor: Redactor, contents: Contents
) -> list[tables.Run]:
    """Everything that tables hold; returns the runs that are in it, those that failed first, then the newest.

    Args:
        of_run: Only this run, and those under it.
    """
    contents.add_json("environment.json", redactor.value(environment()))
    contents.add_json("project.json", redactor.value(_project(session, project)))
    contents.add_json("chain.json", redactor.value(_chain(session, project.id)))
    contents.add_json("models.json", redactor.value(_models(session, project.id)))
    contents.add_json("deployments.json", redactor.value(_deployments(session, project.id)))
    for manifest in session.scalars(_of(tables.DataManifest, project.id).order_by(tables.DataManifest.version.desc())):
        path = project_folder(project.id) / manifest.path
        if path.is_file():
            contents.add_json(f"manifests/v{manifest.version}.json", redactor.value(read_json(path)))
    found = runs_of(session, project.id, of_run)
    shown = contents.add_lines("runs.jsonl", (redactor.value(_run(run)) for run in found), RUNS_SHARE, len(found))
    told = {one["id"] for one in shown}
    urgent = sorted((run for run in found if run.id in told), key=lambda run: run.state != "failed")
    _jobs(urgent, redactor, contents)
    _events(session, project.id, of_run, redactor, contents)
    return urgent


def _of(table: Any, project: int) -> Any:
    return select(table).where(table.project_id == project)


def _project(session: Session, project: tables.Project) -> dict[str, Any]:
    counted = (tables.Source, tables.Document, tables.Import, tables.DataManifest, tables.Run, tables.RunEvent)
    counts = {
        table.__tablename__: session.scalar(select(func.count()).select_from(table).where(table.project_id == project.id))
        for table in counted
    }
    return columns(project, ("id", "name", "base_model", "active_manifest", "created_at")) | {"counts": counts}


def _chain(session: Session, project: int) -> dict[str, Any]:
    """Its head, and what recomputing it said."""
    head = session.scalars(_of(tables.RunEvent, project).order_by(tables.RunEvent.sequence.desc()).limit(1)).first()
    events, faults = verify(session, project)
    return {
        "head": columns(head, ("sequence", "hash", "ts")) if head else None,
        "verified": {"events": events, "faults": [asdict(fault) for fault in faults], "is_whole": not faults},
        "gaps": gaps(session, project),
    }


def _models(session: Session, project: int) -> dict[str, Any]:
    def listed(table: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [columns(one, names) for one in session.scalars(_of(table, project).order_by(table.created_at))]

    return {
        "experiments": listed(tables.Experiment, _EXPERIMENT),
        "evaluations": listed(tables.Evaluation, _EVALUATION),
        "exports": listed(tables.Export, _EXPORT),
    }


def _deployments(session: Session, project: int) -> dict[str, Any]:
    versions = session.scalars(_of(tables.DeploymentVersion, project).order_by(tables.DeploymentVersion.id))
    return {
        "versions": [columns(one, _VERSION) | {"smoke": _numbers(one.smoke)} for one in versions],
        "slots": [columns(one, ("name", "version_id")) for one in session.scalars(_of(tables.Slot, project))],
        "slot_settings": [columns(one, ("slot", "values")) for one in session.scalars(_of(tables.SlotSetting, project))],
    }


def _numbers(smoke: dict[str, Any] | None) -> dict[str, Any]:
    return {name: smoke[name] for name in _SMOKE if name in smoke} if smoke else {}


def runs_of(session: Session, project: int, of_run: str | None) -> list[tables.Run]:
    """The runs that a bundle tells of, newest first."""
    query = _of(tables.Run, project)
    if of_run is not None:
        query = query.where(or_(tables.Run.id == of_run, tables.Run.parent_run_id == of_run))
    return list(session.scalars(query.order_by(tables.Run.created_at.desc(), tables.Run.number.desc())))


def runs_with_folder(session: Session, project: int, of_run: str | None) -> list[str]:
    """Those of them that left something in a folder: of a million runs most only wrote into the tables."""
    folders = run_folder("any").parent
    names = sorted(one.name for one in folders.iterdir()) if folders.is_dir() else []
    found: list[str] = []
    for start in range(0, len(names), IDS_AT_ONCE):
        query = select(tables.Run.id).where(
            tables.Run.project_id == project, tables.Run.id.in_(names[start : start + IDS_AT_ONCE])
        )
        if of_run is not None:
            query = query.where(or_(tables.Run.id == of_run, tables.Run.parent_run_id == of_run))
        found += session.scalars(query)
    return found


def _run(run: tables.Run) -> dict[str, Any]:
    """A run without its result's texts; a problem is what its person was shown."""
    said = columns(run, _RUN) | {"state": runs.view(run).state, "figures": figures(run.result)}
    return said | {"request": without_rows(run.request)}


def _jobs(urgent: list[tables.Run], redactor: Redactor, contents: Contents) -> None:
    room = contents.room * (1 - JOBS_SHARE)
    for run in urgent:
        path = run_folder(run.id) / "job.json"
        if path.is_file() and contents.room > room:
            contents.add_json(f"jobs/{run.id}.json", redactor.value(without_rows(_read(path))))


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, orjson.JSONDecodeError) as error:  # a torn file is what the helper must see
        return {"unreadable": type(error).__name__}


def _events(session: Session, project: int, of_run: str | None, redactor: Redactor, contents: Contents) -> None:
    query = _of(tables.RunEvent, project)
    if of_run is not None:
        query = query.where(or_(tables.RunEvent.run_id == of_run, tables.RunEvent.parent_run_id == of_run))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    newest = session.scalars(query.order_by(tables.RunEvent.sequence.desc()).execution_options(yield_per=500))
    contents.add_lines("events.jsonl", (redactor.value(_event(one)) for one in newest), EVENTS_SHARE, total)


def _event(event: tables.RunEvent) -> dict[str, Any]:
    """With what its code means; `hash` is that of the event as it stands in the home, before anything was redacted."""
    reason = REGISTRY.get(event.reason_code)
    names = ("sequence", "ts", "stage", "severity", "reason_code", "run_id", "parent_run_id", "actor", "hash")
    said = {"meaning": reason.meaning() if reason else "", "remedy": reason.remedy if reason else ""}
    return columns(event, names) | said | {"payload": without_rows(orjson.loads(event.payload))}


def locators(session: Session, project: int) -> Iterator[str]:
    """Every locator of the project's sources: a URL may hold a password that a log repeats."""
    yield from session.scalars(select(tables.Source.locator).where(tables.Source.project_id == project).distinct())
    for request in session.scalars(select(tables.Run.request).where(tables.Run.project_id == project)):
        named = request.get("locator"), *(request.get("paths") or ())
        yield from (one for one in named if isinstance(one, str) and "://" in one)
