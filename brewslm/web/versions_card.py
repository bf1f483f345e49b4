"""The versions of a slot: which answers, which wait, and what can be done with each."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import anyio

from brewslm.observe.deployments import DeploymentView
from brewslm.observe.slot_changes import Action, slot_change
from brewslm.pipeline.runs import RunView
from brewslm.stages.contract import Request
from brewslm.stages.deploy.changes import RejectRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.web import slot_change as drawn
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.parts import Badge, Text, box, button, link, moment
from brewslm.web.pieces import Column, pager, table
from brewslm.web.words import Sign, plain

STATES = {
    "pending": Sign("needs", "pending"),
    "promoted": Sign("done", "promoted"),
    "superseded": Sign("idle", "superseded"),
    "rejected": Sign("idle", "rejected"),
    "rolled_back": Sign("idle", "rolled back"),
}
REQUESTS: dict[Action, type[Request]] = {"promote": PromoteRequest, "reject": RejectRequest, "rollback": RollbackRequest}
ACTIONS: dict[str, tuple[Action, ...]] = {"pending": ("promote", "reject"), "promoted": ("rollback",)}
DONE = {"promote": "promoted", "reject": "rejected", "rollback": "rolled back"}


class VersionsCard:
    """The table of one page of versions, and above it what is being done with one.

    Args:
        pages: What the pager says, and its links.
        afterwards: Called when something was done.
    """

    def __init__(
        self,
        project: int,
        found: list[DeploymentView],
        pages: tuple[str, list[tuple[str, str]]],
        afterwards: Callable[[], Awaitable[None]],
    ) -> None:
        self._project, self._afterwards = project, afterwards
        with box("section", "card", aria_labelledby="versions"):
            Text("h2", "Versions", id="versions")
            self._confirm = Confirm("Change a version")
            self._table = box("div")
            if pages[1]:
                pager(*pages)
        self.show(found)

    def show(self, found: list[DeploymentView]) -> None:
        """The versions at this moment."""
        columns: tuple[Column[DeploymentView], ...] = (
            Column("Version", self._name),
            Column("State", self._state),
            Column("Serves", self._serves),
            Column("Target", _target),
            Column("Live smoke check", _smoke),
            Column("Made by", lambda one: one.actor),
            Column("", self._actions),
        )
        self._table.clear()
        with self._table:
            table("Versions", columns, found, marked=lambda one: one.state == "promoted")

    def _name(self, one: DeploymentView) -> None:
        link(f"v{one.version}", f"/models/deployment-{one.id}")

    def _state(self, one: DeploymentView) -> None:
        Badge(STATES[one.state])
        with box("p"):
            moment(one.changed_at, "muted")

    def _serves(self, one: DeploymentView) -> None:
        link(f"{one.export}:{one.variant}", f"/projects/{self._project}/export?export={one.export}", "mono")

    def _actions(self, one: DeploymentView) -> None:
        with box("div", "row-actions"):
            for action in ACTIONS.get(one.state, ()):
                said = f"{drawn.VERBS[action]} {one.slot} v{one.version}"
                button(drawn.VERBS[action], partial(self.ask, one, action), aria_label=said)

    async def ask(self, one: DeploymentView, action: Action) -> None:
        """Open the second click: what the action would change."""
        change, name = await anyio.to_thread.run_sync(slot_change, one.id, action), f"{one.slot} v{one.version}"
        title = f"{drawn.VERBS[action]} {name}?"
        if change.refusal is not None:
            self._confirm.refuse(title, partial(drawn.draw, self._project, change))
            return
        self._confirm.ask(
            title, drawn.sentences(change), f"{drawn.VERBS[action]} {name} now",
            partial(self._do, action, REQUESTS[action](deployment=one.id), f"page-{uuid4()}"),  # type: ignore[call-arg]
            keep="Leave it as it is", more=partial(drawn.draw, self._project, change),
        )  # fmt: skip

    async def _do(self, action: Action, request: Request, key: str) -> None:
        await act(request, key, partial(self._done, action), self._afterwards)

    def _done(self, action: Action, run: RunView) -> None:
        result = run.result or {}
        said = {
            "promote": f"{result['slot']} v{result['version']} answers now",
            "rollback": f"{result['before']} is rolled back: {result['slot']} v{result['version']} answers again",
            "reject": f"{result['slot']} v{result['version']} is rejected",
        }[action]
        asked = f"; {result['same']:,} of {result['asked']:,} {result['by']} as exported" if result.get("asked") else ""
        with box("p", "", role="status"):
            Text("span", f"{said}{asked}. ")
            link(run.task_id, f"/projects/{self._project}/runs/{run.task_id}", "mono")


def _target(one: DeploymentView) -> None:
    Text("span", one.target)
    if one.settings:
        Text("p", ", ".join(f"{name} {value}" for name, value in one.settings.items()), "muted")


def _smoke(one: DeploymentView) -> str:
    found = one.smoke
    return f"{found['same']:,} of {found['asked']:,} {plain(found['by'])} the same" if found else "–"
