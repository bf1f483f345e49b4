"""The Lab Journal: what was done, day by day, and what it earned."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.observe.journal import AchievementView, Day, JournalView, diary
from brewslm.observe.journal import achievements as every
from brewslm.observe.journal import journal as standing

router = APIRouter(prefix="/api", tags=["journal"])
Zone = Annotated[str, Query(max_length=60, description="Whose days, such as Europe/Berlin; experience always goes by UTC.")]


@router.get("/journal", operation_id="journal.everywhere")
def everywhere(zone: Zone = "UTC") -> JournalView:
    """The journal of every project together."""
    return standing(zone=zone)


@router.get("/projects/{project}/journal", operation_id="journal.show")
def show(project: int, zone: Zone = "UTC") -> JournalView:
    """A project's experience, level, streak and newest achievements, worked out from its events."""
    return standing(project, zone)


@router.get("/projects/{project}/journal/diary", operation_id="journal.diary")
def page(project: int, day: date | None = None, zone: Zone = "UTC") -> Day:
    """A day of the diary: the newest with an event when none is named."""
    return diary(project, day=day, zone=zone)


@router.get("/projects/{project}/journal/achievements", operation_id="journal.achievements")
def achievements(project: int) -> list[AchievementView]:
    """Every achievement, unlocked ones first; a hidden one is told when it is unlocked."""
    return every(project)
