"""Where an event leads to: its run, its log, its rows, each as an address of the API and as a command."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from brewslm.store.files import run_folder
from brewslm.store.tables import Experiment, Import, Run


class Lead(BaseModel):
    """One place to look.

    Attributes:
        what: run, log, timeline, parent, rejected rows, experiment, evaluation, manifest, row or deployment.
        path: Of the API.
        command: The same on the command line.
    """

    what: str
    path: str
    command: str


def leads(session: Session, project: int, run: str | None, parent: str | None, payload: dict[str, Any]) -> list[Lead]:
    """Those that are there, each once."""
    found: dict[str, Lead] = {}
    for lead in (*_runs(session, project, run, parent), *_named(session, project, run, payload)):
        found.setdefault(lead.path, lead)
    return list(found.values())


def _runs(session: Session, project: int, run: str | None, parent: str | None) -> Iterator[Lead]:
    if run is not None:
        if session.get(Run, run) is not None:
            yield Lead(what="run", path=f"/api/tasks/{run}", command=f"brewslm task show {run}")
        if (run_folder(run) / "log.txt").exists():
            yield Lead(what="log", path=f"/api/tasks/{run}/log", command=f"brewslm task log {run}")
        yield _timeline(project, run)
    if parent is not None:
        if session.get(Run, parent) is not None:
            yield Lead(what="parent", path=f"/api/tasks/{parent}", command=f"brewslm task show {parent}")
        yield _timeline(project, parent)


def _timeline(project: int, run: str) -> Lead:
    command = f"brewslm audit timeline --project {project} --run {run}"
    return Lead(what="timeline", path=f"/api/projects/{project}/timeline?run={run}", command=command)


def _named(session: Session, project: int, run: str | None, payload: dict[str, Any]) -> Iterator[Lead]:
    """By the fields that reasons name things with, whatever the reason."""
    for import_run in (run, payload.get("import_run")):
        if isinstance(import_run, str) and session.get(Import, import_run) is not None:
            path, command = f"/api/imports/{import_run}/rejected", f"brewslm rejected export {import_run}"
            yield Lead(what="rejected rows", path=path, command=command)
    experiment = payload.get("experiment_id")
    if isinstance(experiment, str) and session.get(Experiment, experiment) is not None:
        path, command = f"/api/experiments/{experiment}", f"brewslm model verify {experiment}"
        yield Lead(what="experiment", path=path, command=command)
    version = payload.get("manifest_version")
    if isinstance(version, int):
        path = f"/api/projects/{project}/manifests/{version}"
        yield Lead(what="manifest", path=path, command=f"brewslm manifest show --project {project} {version}")
    deployment = payload.get("deployment_version_id")
    if isinstance(deployment, int):
        path = f"/api/deployments/{deployment}/plan"
        yield Lead(what="deployment", path=path, command=f"brewslm deploy list --project {project}")
    for name, value in payload.items():
        rows = value if isinstance(value, list) else [value]
        if name in ("row_id", "row_ids"):
            for row in rows[:20]:
                yield Lead(what="row", path=f"/api/rows/{row}", command=f"brewslm row show {row}")
