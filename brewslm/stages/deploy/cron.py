"""When a cron expression is due, in a time zone."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import InvalidRequest

MOST_COUNTED = 10_000
"""Ticks that are counted one by one; of more, this number is told."""
EXAMPLE = 'Five fields, such as "0 3 * * *" for each night at three; six begin with seconds.'
_CHANCE = re.compile(r"(?i)(^|[\s,/])[hr](\(|[\s,/]|$)")
"""croniter's H and R: another time for each who asks."""


def check_cron(cron: str, timezone: str) -> None:
    """Whether it can be kept.

    Raises:
        StageError(InvalidRequest): It is no cron expression, it is never due, or there is no such time zone.
    """
    from croniter import CroniterError, croniter

    zone_of(timezone)
    try:
        if _CHANCE.search(cron):
            raise StageError(
                InvalidRequest(), "The schedule can't be kept", where=cron, cause="H and R stand for chance", next_step=EXAMPLE
            )
        croniter.expand(cron, second_at_beginning=True, strict=True)
        next_times(cron, timezone, datetime.now(UTC), 1)
    except (CroniterError, ValueError) as error:
        raise StageError(
            InvalidRequest(), "The schedule can't be kept", where=cron, cause=str(error), next_step=EXAMPLE
        ) from error


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone.

    Raises:
        StageError(InvalidRequest): There is none of this name.
    """
    from zoneinfo import available_timezones

    known = available_timezones()
    if timezone not in known:
        near = did_you_mean(timezone, known).partition("known:")[0]
        raise StageError(
            InvalidRequest(), "There is no such time zone", where=timezone, cause=near,
            next_step="Name one as IANA does, such as Europe/Berlin or UTC.",
        )  # fmt: skip
    return ZoneInfo(timezone)


def next_times(cron: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The next times at which it is due, in its own time zone."""
    ticks = _from(cron, timezone, after)
    return [ticks.get_next(datetime) for _ in range(count)]


def due_between(cron: str, timezone: str, after: datetime, until: datetime) -> tuple[datetime | None, int]:
    """What was due later than `after`, and not later than `until`: the newest, and how many there were."""
    ticks, count = _from(cron, timezone, after), 0
    newest: datetime | None = None
    while count < MOST_COUNTED:
        due = ticks.get_next(datetime)
        if due > until:
            return newest, count
        newest, count = due, count + 1
    last: datetime = _from(cron, timezone, until).get_prev(datetime)
    return last, count


def _from(cron: str, timezone: str, start: datetime) -> Any:
    from croniter import croniter

    return croniter(cron, start.astimezone(zone_of(timezone)), second_at_beginning=True)
