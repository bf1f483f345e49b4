"""Drift of a slot: whether what answers still answers as it did, each look at it, and when the next ones are."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import uuid4

from brewslm.errors import StageError
from brewslm.metrics.units import said
from brewslm.observe.deployments import SlotView
from brewslm.observe.drift import CheckView, ScheduleView
from brewslm.observe.figures import counted
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.contract import Request
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.stages.deploy.schedule import PauseRequest, ScheduleRequest, UnscheduleRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.doing import attempt
from brewslm.web.drift_chart import drift_chart
from brewslm.web.drift_form import DriftForm
from brewslm.web.drift_table import VERDICTS, checks_table
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.pieces import pager
from brewslm.web.projects import ACTOR
from brewslm.web.words import Sign, absolute, plain


class DriftCard:
    """Schedule, chart, table, and above them what is being asked for.

    Args:
        afterwards: Called when something was done.
    """

    def __init__(
        self,
        slot: SlotView,
        found: list[CheckView],
        schedule: ScheduleView | None,
        pages: tuple[str, list[tuple[str, str]]],
        afterwards: Callable[[], Awaitable[None]],
    ) -> None:
        self._slot, self._known, self._afterwards = slot, schedule, afterwards
        with box("section", "card", aria_labelledby="drift"):
            with box("div", "card-head"):
                Text("h2", "Drift", id="drift")
                with box("div", "row-actions"):
                    if slot.answering is not None:
                        button("Check now", self._ask_check)
                    self._change = button("", self._ask_schedule)
            self._confirm = Confirm("Drift checks")
            self._schedule_line = box("div")
            self._drawn = box("div")
            if pages[1]:
                pager(*pages)
        self.show(slot, found, schedule)

    def show(self, slot: SlotView, found: list[CheckView], schedule: ScheduleView | None) -> None:
        """As it is at this moment."""
        self._slot, self._known = slot, schedule
        self._change.text = "Change the schedule" if schedule else "Set a schedule"
        self._schedule_line.clear()
        with self._schedule_line:
            self._schedule(schedule)
        self._drawn.clear()
        with self._drawn:
            if not found:
                Text("p", "Nobody has looked yet: a check asks what answers its held-out rows again.", "empty")
                return
            drift_chart(found)
            checks_table(found, self._slot)

    def _schedule(self, found: ScheduleView | None) -> None:
        if found is None:
            Text("p", "Nobody looks by itself: no schedule is set.", "muted")
            return
        with box("p", "event-head"):
            Badge(Sign("idle", "paused") if found.is_paused else Sign("done", "scheduled"))
            Text("span", found.cron, "mono")
            Text("span", f"in {found.timezone}", "muted")
            if found.next_times:
                Text("span", f"next {absolute(found.next_times[0])}", "muted figure")
            if found.missed:
                Badge(Sign("needs", f"{found.missed:,} missed"))
            rolls = ", rolls back where it drifted" if found.rollback else ""
            asks = found.gold_set or "the gold set locked last, or the eval rows"
            Text("span", f"asks {asks}; tolerance {found.tolerance:g}{rolls}", "muted")
        with box("div", "row-actions"):
            paused = not found.is_paused
            request = PauseRequest(project=self._slot.project, slot=self._slot.name, paused=paused)
            button("Pause" if paused else "Go on", partial(self._call, request))
            button("Remove the schedule", self._ask_unschedule)

    async def _ask_check(self) -> None:
        answering = self._slot.answering
        if answering is None:
            return
        form = await DriftForm.of(self._slot.project, None)
        deployment, name, key = answering.id, f"{self._slot.name} v{answering.version}", f"page-{uuid4()}"
        sentences = [f"{name} is asked its rows again, beside the requests that it answers. Nothing else changes."]

        async def check() -> None:
            await act(CheckRequest(deployment=deployment, **form.common()), key, self._checked, self._afterwards)

        self._confirm.ask(f"Check {name} for drift?", sentences, f"Check {name} now", check, more=form.draw, ready=form.ready)

    def _checked(self, run: RunView) -> None:
        result: dict[str, Any] = run.result or {}
        with box("p", "event-head", role="status"):
            Badge(VERDICTS[result["verdict"]])
            Text("span", f"{plain(result['metric'])} {said(result['metric'], result['value'])}", "figure")
            Text("span", f"was {said(result['metric'], result['before'])} on {counted(result['n'], 'row')}", "muted figure")
            link(run.task_id, f"/projects/{run.project}/runs/{run.task_id}", "mono")

    async def _ask_schedule(self) -> None:
        found = self._known
        form = await DriftForm.of(self._slot.project, found, with_cron=True)
        was = f"{found.cron} in {found.timezone}" if found else "none"
        sentences = [f"Schedule of {self._slot.name}: {was} → what you set here. It goes on with whichever version is promoted."]
        project, slot = self._slot.project, self._slot.name

        async def schedule() -> None:
            when = {"cron": form.cron, "timezone": form.timezone}
            await self._call(ScheduleRequest(project=project, slot=slot, **when, **form.common()))

        self._confirm.ask("When shall it be checked?", sentences, "Set the schedule", schedule, more=form.draw, ready=form.ready)

    def _ask_unschedule(self) -> None:
        request = UnscheduleRequest(project=self._slot.project, slot=self._slot.name)
        self._confirm.ask(f"Remove the schedule of {self._slot.name}?", ["Its checks stay; no further one is made by itself."],
                          "Remove the schedule now", partial(self._call, request), keep="Keep it")  # fmt: skip

    async def _call(self, request: Request) -> None:
        done = await attempt(partial(execute.call, ACTOR, request))
        if isinstance(done, StageError):
            self._confirm.refuse("The schedule stays as it was", partial(problem, done))
            return
        self._confirm.close()
        await self._afterwards()
