"""The exports of a project, as a table."""

from collections.abc import Sequence

from brewslm.observe.exports import PAGE, ExportView
from brewslm.observe.figures import counted
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, pager, reason_chip, table
from brewslm.web.words import Sign, file_size

SIGNS = {
    "queued": Sign("idle", "queued"),
    "running": Sign("running", "running"),
    "interrupted": Sign("needs", "interrupted"),
    "succeeded": Sign("done", "done"),
    "failed": Sign("failed", "failed"),
    "cancelled": Sign("idle", "cancelled"),
    "paused": Sign("needs", "paused"),
}


class ExportsCard:
    """One page of them, newest first.

    Args:
        before: The page's cursor: the number that all are below; 0: the newest page.
    """

    def __init__(self, project: int, before: int) -> None:
        self._project, self._before = project, before
        with box("section", "card", aria_labelledby="exports"):
            Text("h2", "Exports", id="exports")
            self._drawn = box("div")

    def show(self, found: Sequence[ExportView], chosen: str) -> None:
        """The exports at this moment, and one beyond where there are more; `chosen` is opened below."""
        self._drawn.clear()
        with self._drawn:
            if not found:
                Text("p", "Nothing was exported yet: choose Export a model above.", "empty")
                return
            columns: tuple[Column[ExportView], ...] = (
                Column("Export", self._name),
                Column("State", _state),
                Column("Experiment", self._experiment),
                Column("Formats", lambda one: ", ".join(one.artifacts) or "–"),
                Column("Size", lambda one: _size(one), "figure"),
                Column("Made", lambda one: moment(one.created_at) and None),
                Column("Deployed as", self._versions),
            )
            table("Exports", columns, found[:PAGE], marked=lambda one: one.id == chosen)
            self._pages(found)

    def _pages(self, found: Sequence[ExportView]) -> None:
        here = f"/projects/{self._project}/export"
        links = [("Newest", here)] if self._before else []
        if len(found) > PAGE:
            links.append(("Older", f"{here}?before={found[PAGE - 1].id.rpartition('-')[2]}"))
        if links:
            pager(counted(min(len(found), PAGE), "export"), links)

    def _name(self, one: ExportView) -> None:
        older = f"&before={self._before}" if self._before else ""
        link(one.id, f"/projects/{self._project}/export?export={one.id}{older}", "mono")

    def _experiment(self, one: ExportView) -> None:
        link(one.experiment, f"/projects/{self._project}/runs/{one.experiment}", "mono")

    def _versions(self, one: ExportView) -> None:
        with box("div", "lines"):
            for number, name in one.deployments.items():
                link(name, f"/models/deployment-{number}")
        if not one.deployments:
            Text("span", "–")


def _state(one: ExportView) -> None:
    Badge(SIGNS[one.task.state])
    if one.task.problem:
        reason_chip(one.task.problem["code"])


def _size(one: ExportView) -> str:
    """Of all its variants; one that is a link to another's weights counts once."""
    sizes = {made.sha256: made.size_bytes for made in one.artifacts.values()}
    return file_size(sum(sizes.values())) if sizes else "–"
