"""The bundles that were made, and links to them that end by themselves."""

from functools import partial

import anyio
from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.support import SupportBundleView, support_bundle, support_bundles
from brewslm.web.doing import attempt
from brewslm.web.parts import Badge, Text, box, button, link, moment, problem
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign, absolute, file_size


class Made:
    """The table, and under it the link that was asked for."""

    def __init__(self, project: int, found: list[SupportBundleView]) -> None:
        self._project = project
        with box("section", "card", aria_labelledby="made"):
            Text("h2", "Bundles that were made", id="made")
            self._table = box("div")
            self._handed = box("div", "handed", role="status")
        self._draw(found)

    async def look(self) -> None:
        """Read again."""
        self._draw(await anyio.to_thread.run_sync(support_bundles, self._project))

    def _draw(self, found: list[SupportBundleView]) -> None:
        self._table.clear()
        with self._table:
            if not found:
                Text("p", "None was made yet: Make a support bundle, above, shows what will be in it first.", "empty")
                return
            table(
                "Bundles that were made",
                (
                    Column[SupportBundleView]("Bundle", self._name),
                    Column[SupportBundleView]("Made", _when),
                    Column[SupportBundleView]("Of", lambda one: one.of_run or "the whole project"),
                    Column[SupportBundleView]("Size", lambda one: file_size(one.size_bytes), "figure"),
                    Column[SupportBundleView]("SHA-256", lambda one: f"{one.sha256[:16]}…", "mono"),
                    Column[SupportBundleView]("", self._action),
                ),
                found,
            )

    def _name(self, one: SupportBundleView) -> None:
        link(one.task_id, f"/projects/{self._project}/events?run={one.task_id}", "mono")

    def _action(self, one: SupportBundleView) -> None:
        if one.is_there:
            button("Hand it over", partial(self._hand_over, one.task_id), "small", aria_label=f"Hand over {one.task_id}")
        else:
            Badge(Sign("idle", "its file is gone"))

    async def _hand_over(self, task_id: str) -> None:
        made = await attempt(partial(support_bundle, task_id))
        self._handed.clear()
        with self._handed:
            hand_over(made)


def _when(one: SupportBundleView) -> None:
    moment(one.made_at)


def hand_over(made: SupportBundleView | StageError) -> None:
    """A new link to a bundle, with its end: to be copied, or followed here; or why there is none."""
    if isinstance(made, StageError):
        problem(made)
        return
    task_id = made.task_id
    if not made.is_there or made.expires_at is None:
        Text("p", f"The file of {task_id} is gone: make a new bundle.", "empty")
        return
    request = ui.context.client.request
    whole = f"{request.url.scheme}://{request.url.netloc}{made.link}"
    with box("div", "link-made", role="region", aria_label=f"A link to {task_id}"):
        Text("h3", f"A link to {task_id}")
        Text(
            "p", f"For whoever can reach this machine. It ends {absolute(made.expires_at)}; make a new one at any time.", "figure"
        )
        with box("div", "command"):
            Text("code", whole)
            button("Copy the link", data_act="copy", data_text=whole)
            Text("a", "Download", "button primary", href=made.link, download=f"{task_id}.zip")
