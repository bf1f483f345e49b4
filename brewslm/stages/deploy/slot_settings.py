"""deploy.settings: how the gateway of a slot behaves."""

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.deployment import SlotSettingsChanged
from brewslm.reasons.refusals import InvalidRequest, UnknownSlot
from brewslm.serving.slots import SlotSettings
from brewslm.stages.contract import ProjectRequest
from brewslm.store.tables import DeploymentVersion, Run, SlotSetting


class SlotSettingsRequest(ProjectRequest):
    """Set some of a slot's settings; what is left out stays. See `SlotSettings` for what each means."""

    slot: str = "default"
    in_flight: int | None = None
    waiting: int | None = None
    wait_seconds: float | None = None
    silence_seconds: float | None = None
    log_requests: bool | None = None
    log_megabytes: int | None = None

    def given(self) -> dict[str, int | float | bool]:
        """What is to be set."""
        return self.model_dump(exclude={"project", "slot"}, exclude_none=True)


def check_slot(session: Session, project: int, slot: str) -> None:
    """There is such a slot.

    Raises:
        StageError(UnknownSlot): No version of the project is for it.
    """
    table = DeploymentVersion
    if session.scalar(select(table.id).where(table.project_id == project, table.slot == slot).limit(1)) is None:
        known = sorted(session.scalars(select(table.slot).where(table.project_id == project).distinct()))
        raise StageError(UnknownSlot(), where=f"slot {slot}", cause=f"known: {', '.join(known) or 'none'}")


def record(request: SlotSettingsRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write them; the gateway reads them for its next request.

    Raises:
        StageError(UnknownSlot): There is no such slot.
        StageError(InvalidRequest): A value is out of its range.
    """
    check_slot(session, request.project, request.slot)
    row = session.get(SlotSetting, (request.project, request.slot))
    if row is None:
        row = SlotSetting(project_id=request.project, slot=request.slot, values={})
        session.add(row)
    before = SlotSettings.model_validate(row.values)
    try:
        after = SlotSettings.model_validate(row.values | request.given())
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise StageError(InvalidRequest(), "The settings can't be used", where=f"slot {request.slot}", cause=said) from None
    row.values = row.values | request.given()
    run.result = {"slot": request.slot, "before": before.model_dump(), "after": after.model_dump()}
    changed = [name for name, value in after if getattr(before, name) != value]
    if not changed:
        return ()
    was, is_now = ({name: getattr(one, name) for name in changed} for one in (before, after))
    return [SlotSettingsChanged(slot=request.slot, actor=run.actor, before=was, after=is_now)]
