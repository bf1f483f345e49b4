"""What the deployments' page is asked for by its address, and what it shows of that."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.deployments import DeploymentView, SlotView, deployments, slots
from brewslm.observe.drift import CheckView, ScheduleView, checks, schedules
from brewslm.observe.gateway import VersionStatistics, version_statistics
from brewslm.observe.predict import HowAsked, how_asked
from brewslm.reasons.refusals import UnknownSlot
from brewslm.stages.deploy.changes import ENDPOINT
from brewslm.web.query import Cursor
from brewslm.web.traffic_card import SPANS, USUAL

PAGE = 20


def _known_days(days: str) -> str:
    if days not in SPANS:
        raise ValueError(f"It is one of: {', '.join(SPANS)}.")
    return days


class Asked(BaseModel):
    """What the address asks for.

    Attributes:
        slot: "" for the first.
        before, checks: The page of versions with a smaller id, and of checks with a smaller number; 0: the newest.
        days: A key of `SPANS`.
        export, variant: The page opens with the form for a new version of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str = ""
    before: Cursor = 0
    checks: Cursor = 0
    days: Annotated[str, AfterValidator(_known_days)] = USUAL
    export: str = ""
    variant: str = ""

    def address(self, project: int, **changes: Any) -> str:
        """Of another view: this one with the changes."""
        kept = {"slot": self.slot, "before": self.before, "checks": self.checks, "days": self.days} | changes
        usual = {"days": USUAL}
        query = urlencode({name: value for name, value in kept.items() if value and value != usual.get(name)})
        return f"/projects/{project}/deployments" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment; of the slot that was asked for."""

    slots: list[SlotView]
    slot: SlotView | None = None
    versions: tuple[DeploymentView, ...] = ()
    checks: tuple[CheckView, ...] = ()
    schedule: ScheduleView | None = None
    traffic: tuple[VersionStatistics, ...] = ()
    how: HowAsked | None = None


def see(project: int, asked: Asked) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownSlot): There is none of this name.
    """
    known = slots(project)
    slot = next((one for one in known if asked.slot in ("", one.name)), None)
    if slot is None:
        if asked.slot not in ("", ENDPOINT):
            raise StageError(UnknownSlot(), where=f"slot {asked.slot}", cause="no version of the project is for it")
        return Seen(known)
    return Seen(
        known, slot,
        versions=tuple(deployments(project, slot.name, before=asked.before or None, limit=PAGE + 1)),
        checks=tuple(checks(project, slot=slot.name, before=asked.checks or None, limit=PAGE + 1)),
        schedule=next((one for one in schedules(project) if one.slot == slot.name), None),
        traffic=tuple(version_statistics(project, slot.name, SPANS[asked.days])),
        how=_how(slot),
    )  # fmt: skip


def _how(slot: SlotView) -> HowAsked | None:
    """None where nothing answers, or where what it learnt from is gone: the passport says that."""
    try:
        return how_asked(slot.answering.id) if slot.answering else None
    except StageError:
        return None
