"""Support bundles that were made, and links to them that end by themselves."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from brewslm.errors import StageError
from brewslm.pipeline.support import bundle_path, planned_logs
from brewslm.pipeline.support.logs import TAIL_BYTES
from brewslm.reasons.refusals import UnknownRun
from brewslm.reasons.support import LinkExpired, LinkInvalid
from brewslm.store.database import reading
from brewslm.store.records import project_of, run_of
from brewslm.store.secrets import known_secrets, secret_key, secret_path
from brewslm.store.tables import DataManifest, DeploymentVersion, Experiment, Run, RunEvent, now

OPERATION = "support.bundle"
LINK_SECONDS = 24 * 3600
_SEE = "See brewslm support list, or make one: brewslm support bundle."


class SupportBundleView(BaseModel):
    """A bundle that was made.

    Attributes:
        is_there: Its file still is.
        link: Where the server gives it out, until `expires_at`; "" where the file is gone.
    """

    task_id: str
    project: int
    of_run: str | None
    made_at: datetime | None
    path: str
    size_bytes: int
    sha256: str
    is_there: bool
    link: str = ""
    expires_at: datetime | None = None


class SupportContents(BaseModel):
    """What a bundle would hold if it were made now.

    Attributes:
        of_run: Only this run, and those under it; manifests, models and versions are in it all the same.
        runs, failed_runs, events: Told of.
        log_bytes: Of the ends of the logs, which are what is read.
        secrets: Values that are known here, and are looked for wherever they stand and however they are spelled.
    """

    project: int
    of_run: str | None
    runs: int
    failed_runs: int
    events: int
    manifests: int
    experiments: int
    versions: int
    logs: int
    log_bytes: int
    secrets: int


def support_contents(project: int, run: str | None = None) -> SupportContents:
    """What a bundle would hold if it were made now. Nothing is made.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(UnknownRun): The project has no such run.
    """
    with reading() as session:
        project_of(session, project)
        if run is not None and run_of(session, run).project_id != project:
            raise StageError(UnknownRun(), where=run, cause=f"it is none of project {project}")
        counts = {
            name: session.scalar(select(func.count()).select_from(table).where(table.project_id == project)) or 0
            for name, table in (("manifests", DataManifest), ("experiments", Experiment), ("versions", DeploymentVersion))
        }
        states: dict[str, int] = {}
        found = session.execute(_counted(Run.state, Run.id, Run.parent_run_id, Run.project_id == project, run)).tuples().all()
        states.update(found)
        told = (RunEvent.project_id, RunEvent.run_id, RunEvent.parent_run_id, RunEvent.project_id == project, run)
        events = session.execute(_counted(*told)).tuples().all()
        logs = [one.path.stat().st_size for one in planned_logs(session, project, run)]
    return SupportContents(
        project=project, of_run=run, runs=sum(states.values()), failed_runs=states.get("failed", 0),
        events=sum(count for _, count in events), logs=len(logs), log_bytes=sum(min(size, TAIL_BYTES) for size in logs),
        secrets=len(known_secrets()), **counts,
    )  # fmt: skip


def _counted(
    by: InstrumentedAttribute[Any], own: InstrumentedAttribute[Any], parent: InstrumentedAttribute[Any],
    here: ColumnElement[bool], run: str | None,
) -> Select[Any]:  # fmt: skip
    query = select(by, func.count()).where(here).group_by(by)
    return query if run is None else query.where(or_(own == run, parent == run))


def support_bundles(project: int) -> list[SupportBundleView]:
    """Those of a project, newest first, without links.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        query = select(Run).where(Run.project_id == project, Run.operation == OPERATION, Run.state == "succeeded")
        return [_view(run) for run in session.scalars(query.order_by(Run.number.desc()))]


def support_bundle(task_id: str) -> SupportBundleView:
    """One, with a new link to it.

    Raises:
        StageError(UnknownRun): No run of this id made a bundle.
    """
    found = _view(_made(task_id))
    if not found.is_there:
        return found
    token = _signer(found.project).dumps([task_id, found.sha256])
    link = f"/api/support-bundles/{task_id}/file?token={token}"
    return found.model_copy(update={"link": link, "expires_at": now() + timedelta(seconds=LINK_SECONDS)})


def linked_file(task_id: str, token: str) -> Path:
    """The file that a link leads to.

    Raises:
        StageError(UnknownRun): There is no such bundle, or its file is gone.
        StageError(LinkExpired, LinkInvalid): The link is over, or was not made for this file.
    """
    found = _view(_made(task_id))
    try:
        meant = _signer(found.project).loads(token, max_age=LINK_SECONDS)
    except SignatureExpired as late:
        ended = (late.date_signed or now()) + timedelta(seconds=LINK_SECONDS)
        raise StageError(LinkExpired(), where=task_id, cause=f"it ended {ended:%Y-%m-%d %H:%M} UTC") from late
    except BadSignature as forged:
        raise StageError(LinkInvalid(), where=task_id, cause="its signature is not ours") from forged
    if meant != [task_id, found.sha256]:
        raise StageError(LinkInvalid(), where=task_id, cause="it is for another bundle")
    if not found.is_there:
        raise StageError(UnknownRun(), "The bundle's file is gone", where=task_id, next_step="Make a new one.")
    return bundle_path(found.project, task_id)


def _made(task_id: str) -> Run:
    with reading() as session:
        run = session.get(Run, task_id)
    if run is None or run.operation != OPERATION or run.state != "succeeded":
        cause = f"it is a run of {run.operation}, and {run.state}" if run else ""
        raise StageError(UnknownRun(), "There is no such support bundle", where=task_id, cause=cause, next_step=_SEE)
    return run


def _view(run: Run) -> SupportBundleView:
    assert run.project_id is not None
    result, path = run.result or {}, bundle_path(run.project_id, run.id)
    return SupportBundleView(
        task_id=run.id, project=run.project_id, of_run=run.request.get("run"), made_at=run.ended_at, path=str(path),
        size_bytes=result.get("size_bytes", 0), sha256=result.get("sha256", ""), is_there=path.is_file(),
    )  # fmt: skip


def _signer(project: int) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key(secret_path(project, "support-link")), salt="support-bundle")
