"""What a drift check is asked: its rows, its tolerance, whether it rolls back; and of a schedule, when."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import anyio

from brewslm.errors import StageError
from brewslm.metrics.drift import DEFAULT
from brewslm.observe.drift import ScheduleView
from brewslm.observe.gold import gold_sets
from brewslm.stages.deploy.cron import check_cron, zone_of
from brewslm.web.fields import Select, Tick
from brewslm.web.form_field import FormField
from brewslm.web.parts import Text, box

NIGHTLY = "0 3 * * *"


class DriftForm:
    """The fields, and what they say.

    Attributes:
        cron, timezone: Of a schedule.
    """

    def __init__(self, sets: list[str], former: ScheduleView | None, with_cron: bool) -> None:
        self._sets, self._with_cron = sets, with_cron
        self.cron, self.timezone = (former.cron, former.timezone) if former else (NIGHTLY, "UTC")
        self._gold_set = (former.gold_set if former else None) or ""
        self._tolerance = f"{former.tolerance if former else DEFAULT.tolerance:g}"
        self._rollback = bool(former and former.rollback)

    @classmethod
    async def of(cls, project: int, former: ScheduleView | None, with_cron: bool = False) -> Self:
        """With the project's locked gold sets to choose from."""
        sets = await anyio.to_thread.run_sync(gold_sets, project)
        return cls([one.gold_set for one in sets if one.state == "locked"], former, with_cron)

    def draw(self) -> None:
        """The fields."""
        with box("div", "fields"):
            if self._with_cron:
                note = "Minute, hour, day, month, weekday; six fields begin with seconds."
                self._cron = FormField("cron", "Cron expression", self.cron, note, on_change=partial(self._say, "cron"))
                said = partial(self._say, "timezone")
                self._zone = FormField("timezone", "Time zone", self.timezone, "Such as Europe/Berlin.", on_change=said)
            choices = {"": "the gold set locked last, or else the eval rows"} | {name: name for name in self._sets}
            if self._gold_set and self._gold_set not in choices:
                choices[self._gold_set] = self._gold_set
            Select("Rows", choices, self._gold_set, partial(self._say, "_gold_set"))
            note = "0.01: one point of the figure, and one row in a hundred."
            said = partial(self._say, "_tolerance")
            self._share = FormField("tolerance", "Tolerance", self._tolerance, note, on_change=said, inputmode="decimal")
        Tick("If it drifted, let the version before it answer again", partial(self._say, "_rollback"), on=self._rollback)
        if self._rollback:
            Text("p", "A rollback needs a version before it, which is asked first.", "muted")

    def ready(self) -> bool:
        """Whether it can be used as it is filled in; what can't be is told at its field."""
        faults = {self._share: "" if _is_share(self._tolerance) else "It is a share from 0 to below 1: 0.01 for one point."}
        if self._with_cron:
            faults[self._zone] = _fault(partial(zone_of, self.timezone))
            faults[self._cron] = "" if faults[self._zone] else _fault(partial(check_cron, self.cron, self.timezone))
        for field, fault in faults.items():
            field.blame(fault)
        return not any(faults.values())

    def common(self) -> dict[str, Any]:
        """Fields of deploy.check_drift and deploy.schedule, once the form is ready."""
        return {"gold_set": self._gold_set or None, "tolerance": float(self._tolerance), "rollback": self._rollback}

    def _say(self, name: str, value: Any) -> None:
        setattr(self, name, value.strip() if isinstance(value, str) else value)


def _is_share(said: str) -> bool:
    try:
        return 0 <= float(said) < 1
    except ValueError:
        return False


def _fault(check: Callable[[], object]) -> str:
    """Why it is refused; "" where it is not."""
    try:
        check()
    except StageError as refused:
        return f"{(refused.cause or refused.what).rstrip('.')}. {refused.next_step}"
    return ""
