"""A slot as a request finds it: the version that it points to now, and what its owner has set for the gateway."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import and_, bindparam, select

from brewslm.errors import StageError
from brewslm.reasons.refusals import EndpointUnavailable
from brewslm.store.database import engine, reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, Slot, SlotSetting


class SlotSettings(BaseModel):
    """How a slot's gateway behaves. The numbers hold for each gateway process by itself.

    Attributes:
        in_flight: Requests that are with the model server at a time.
        waiting: Requests that wait for their turn; one more is refused (429).
        wait_seconds: A request waits so long for its turn, and so long for a model server that is just being started.
        silence_seconds: The model server may say nothing for so long, before an answer or within it.
        log_requests: Requests and answers are written down, without the personal data that is found in them.
        log_megabytes: The most that this log keeps; the oldest goes first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_flight: int = Field(64, ge=1, le=4096)
    waiting: int = Field(256, ge=0, le=65536)
    wait_seconds: float = Field(30.0, ge=0, le=3600)
    silence_seconds: float = Field(600.0, gt=0, le=86400)
    log_requests: bool = False
    log_megabytes: int = Field(64, ge=1, le=65536)


@dataclass(frozen=True)
class SlotNow:
    """What a slot is at one moment."""

    project: int
    name: str
    version_id: int
    version: int
    settings: SlotSettings

    @property
    def model(self) -> str:
        """The name of its model, such as "default-v2"."""
        return f"{self.name}-v{self.version}"


_READ = (
    select(Slot.version_id, DeploymentVersion.version, SlotSetting.values)
    .join(DeploymentVersion, DeploymentVersion.id == Slot.version_id)
    .outerjoin(SlotSetting, and_(SlotSetting.project_id == Slot.project_id, SlotSetting.slot == Slot.name))
    .where(Slot.project_id == bindparam("project"), Slot.name == bindparam("slot"))
)


def slot_now(project: int, name: str) -> SlotNow:
    """The slot as it is now: one query, for it is asked for each request.

    Raises:
        StageError(UnknownProject): There is no such project.
        StageError(EndpointUnavailable): Nothing is promoted under this name.
    """
    with engine().connect() as connection:
        found = connection.execute(_READ, {"project": project, "slot": name}).first()
    if found is None:
        with reading() as session:
            project_of(session, project)
        raise StageError(
            EndpointUnavailable(), "No model answers here", where=f"slot {name}", cause="no version is promoted",
            next_step="Promote one: brewslm deploy promote.",
        )  # fmt: skip
    version_id, version, values = found
    return SlotNow(project, name, version_id, version, SlotSettings.model_validate(values or {}))
