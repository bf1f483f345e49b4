"""Read-only views of the gateway: a slot's settings and log, and what was counted of each version."""

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.serving.request_log import log_files
from brewslm.serving.slots import SlotSettings
from brewslm.serving.statistics import Summary, summaries
from brewslm.stages.deploy.slot_settings import check_slot
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, SlotSetting


class SlotSettingsView(BaseModel):
    """A slot's settings, and what its request log has.

    Attributes:
        log_files: Those that there are, the older one first, from the project's folder on.
        log_bytes: Of both.
    """

    project: int
    slot: str
    settings: SlotSettings
    log_files: list[str]
    log_bytes: int


class VersionStatistics(BaseModel):
    """What the gateway counted of one version."""

    deployment: int
    slot: str
    version: int
    state: str
    statistics: Summary


def slot_settings(project: int, slot: str) -> SlotSettingsView:
    """How the slot's gateway behaves.

    Raises:
        StageError(UnknownProject, UnknownSlot): There is none.
    """
    with reading() as session:
        project_of(session, project)
        check_slot(session, project, slot)
        row = session.get(SlotSetting, (project, slot))
    files = [file for file in log_files(project, slot) if file.exists()]
    return SlotSettingsView(
        project=project, slot=slot, settings=SlotSettings.model_validate(row.values if row else {}),
        log_files=[f"{file.parent.name}/{file.name}" for file in files], log_bytes=sum(file.stat().st_size for file in files),
    )  # fmt: skip


def version_statistics(project: int, slot: str | None = None, days: int | None = None) -> list[VersionStatistics]:
    """What was counted of the project's versions that were ever asked, newest first.

    Args:
        slot: Only this one's.
        days: Only of the last so many days (UTC), today among them.

    Raises:
        StageError(UnknownProject, UnknownSlot): There is none.
    """
    table = DeploymentVersion
    query = select(table).where(table.project_id == project)
    with reading() as session:
        project_of(session, project)
        if slot is not None:
            check_slot(session, project, slot)
            query = query.where(table.slot == slot)
        versions = session.scalars(query.order_by(table.id.desc())).all()
    found = summaries((one.id for one in versions), days)
    return [
        VersionStatistics(deployment=one.id, slot=one.slot, version=one.version, state=one.state, statistics=found[one.id])
        for one in versions
        if one.id in found
    ]
