"""What a drift check is asked: its rows, its tolerance, whether it rolls back; and of a schedule, when."""

from functools import partial
from typing import Any, Self

import anyio

from brewslm.errors import StageError
from brewslm.metrics.drift import DEFAULT
from brewslm.observe.drift import ScheduleView
from brewslm.observe.gold import gold_sets
from brewslm.reasons.refusals import InvalidRequest
from brewslm.web.fields import Select, TextField, Tick
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
                TextField("Cron expression", self.cron, partial(self._say, "cron"), note, named="cron")
                TextField("Time zone", self.timezone, partial(self._say, "timezone"), "Such as Europe/Berlin.", named="timezone")
            choices = {"": "the gold set locked last, or else the eval rows"} | {name: name for name in self._sets}
            if self._gold_set and self._gold_set not in choices:
                choices[self._gold_set] = self._gold_set
            Select("Rows", choices, self._gold_set, partial(self._say, "_gold_set"))
            note = "0.01: one point of the figure, and one row in a hundred."
            TextField("Tolerance", self._tolerance, partial(self._say, "_tolerance"), note, named="tolerance")
        Tick("If it drifted, let the version before it answer again", partial(self._say, "_rollback"), on=self._rollback)
        if self._rollback:
            Text("p", "A rollback needs a version before it, which is asked first.", "muted")

    def common(self) -> dict[str, Any]:
        """Fields of deploy.check_drift and deploy.schedule.

        Raises:
            StageError(InvalidRequest): The tolerance is no share.
        """
        try:
            tolerance = float(self._tolerance)
        except ValueError:
            tolerance = -1.0
        if not 0 <= tolerance < 1:
            raise StageError(
                InvalidRequest(), "The tolerance can't be used", where=self._tolerance, cause="it is a share from 0 to below 1",
                next_step="Give 0.01 for one point.",
            )  # fmt: skip
        return {"gold_set": self._gold_set or None, "tolerance": tolerance, "rollback": self._rollback}

    def _say(self, name: str, value: Any) -> None:
        setattr(self, name, value.strip() if isinstance(value, str) else value)
