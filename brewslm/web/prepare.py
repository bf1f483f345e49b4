"""/ui/projects/{id}/prepare: freeze the rows as a data manifest, look at any version, and hold two against each other."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.adapters import AdapterView, adapters
from brewslm.observe.manifests import ManifestDiff, ManifestSummary, ManifestView, manifest, manifest_diff, manifests
from brewslm.observe.tasks import task
from brewslm.stages.prepare import ActivateRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.filters import left_out_card
from brewslm.web.manifest_cards import manifest_cards
from brewslm.web.manifest_diff import diff_card
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, button, link, moment, problem
from brewslm.web.pieces import Column, empty, table, title_row
from brewslm.web.prepare_form import PrepareForm
from brewslm.web.query import Heard, Ordinal, address, heard, usual_left_out
from brewslm.web.words import Sign


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment.

    Attributes:
        shown: The version that is looked at, or why it can't be.
        last: The request that the version in use was frozen by.
    """

    versions: list[ManifestSummary]
    shown: ManifestView | StageError | None
    diff: ManifestDiff | StageError | None
    last: dict[str, Any]
    known: list[AdapterView]


def see(project: int, version: int | None, compare: int | None) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    versions = manifests(project)
    active = next((one for one in versions if one.is_active), None)
    shown = _tried(partial(manifest, project, version)) if versions else None
    newer = shown.summary.version if isinstance(shown, ManifestView) else None
    diff = _tried(partial(manifest_diff, project, compare, newer)) if compare and newer else None
    last = task(active.run).request if active else {}
    return Seen(versions, shown, diff, last, adapters())


def _tried(read: Any) -> Any:
    try:
        return read()
    except StageError as error:
        return error


class Asked(BaseModel):
    """What the address asks for.

    Attributes:
        version: The one that is looked at; that in use when left out.
        compare: The one that it is held against.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Ordinal | None = None
    compare: Ordinal | None = None


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    seen = await anyio.to_thread.run_sync(see, found.id, asked.value.version, asked.value.compare)
    with here.frame("Prepare"):
        _Prepare(found.id, seen, asked)


class _Prepare:
    def __init__(self, project: int, seen: Seen, asked: Heard[Asked]) -> None:
        self._project, self._seen = project, seen
        with title_row("Prepare", line(seen)):
            begin = button("Prepare a new version", self._open, "primary", aria_controls="new-version")
        left_out_card(asked, address(f"/projects/{project}/prepare", usual_left_out(asked.value)))
        profiles = sorted({one.task_profile for one in seen.versions})
        self._form = PrepareForm(project, seen.last, seen.known, profiles, self._frozen)
        self._form.root.set_visibility(not seen.versions)
        begin.set_visibility(bool(seen.versions))
        self._begin = begin
        self._versions()
        if isinstance(seen.diff, StageError):
            with box("section", "card", aria_label="Comparison"):
                problem(seen.diff)
        elif seen.diff is not None:
            diff_card(project, seen.diff)
        if isinstance(seen.shown, StageError):
            with box("section", "card", aria_label="Version"):
                problem(seen.shown)
        elif seen.shown is not None:
            manifest_cards(project, seen.shown)

    def _open(self) -> None:
        self._form.root.set_visibility(True)
        self._begin.set_visibility(False)
        ui.run_javascript("document.querySelector('#task_profile').focus()")

    async def _frozen(self) -> None:
        """The table with the new version."""
        versions = await anyio.to_thread.run_sync(manifests, self._project)
        self._table.clear()
        with self._table:
            self._draw(versions)

    def _versions(self) -> None:
        with box("section", "card", aria_labelledby="versions"):
            Text("h2", "Versions", id="versions")
            self._table = box("div")
            self._confirm = Confirm("Change the version in use")
        with self._table:
            self._draw(self._seen.versions)

    def _draw(self, versions: list[ManifestSummary]) -> None:
        self._active = next((one.version for one in versions if one.is_active), None)
        if not versions:
            empty("Nothing was prepared yet: the form above freezes the rows that count.")
            return
        looked_at = self._seen.shown.summary.version if isinstance(self._seen.shown, ManifestView) else None
        base = f"/projects/{self._project}/prepare"
        columns = [
            Column[ManifestSummary]("Version", lambda one: _draw_version(one, base)),
            Column("State", lambda one: _draw_state(one)),
            Column("Task", lambda one: one.task_profile),
            Column("Rows", _sizes),
            Column("Frozen", _draw_moment),
            Column("Run", lambda one: _draw_run(one, self._project), "mono"),
            Column("", lambda one: self._acts(one, looked_at, base)),
        ]
        table("Versions of the data manifest", columns, versions, marked=lambda one: one.version == looked_at)

    def _acts(self, one: ManifestSummary, looked_at: int | None, base: str) -> None:
        with box("div", "row-actions"):
            if looked_at is not None and one.version != looked_at:
                target = f"{base}?version={looked_at}&compare={one.version}"
                link("Compare", target, "button", aria_label=f"Compare v{one.version} with v{looked_at}")
            if not one.is_active:
                button(f"Use v{one.version}", partial(self._ask, one))

    def _ask(self, one: ManifestSummary) -> None:
        now = self._active
        key = f"page-{uuid4()}"
        sentences = [
            "Preflight, training and the next prepare read the version in use. Models that were trained stay as they are.",
            f"Version in use: {f'v{now}' if now else 'none'} → v{one.version}",
        ]
        request = ActivateRequest(project=self._project, version=one.version)
        done = partial(_activated, one.version)
        self._confirm.ask(
            f"Use v{one.version}?", sentences, f"Use v{one.version} now", lambda: act(request, key, done, self._frozen)
        )


def _activated(version: int, _run: Any) -> None:
    Text("p", f"v{version} is in use.", role="status")


def line(seen: Seen) -> str:
    """Where it stands, in one line."""
    active = next((one for one in seen.versions if one.is_active), None)
    if active is None:
        return "Rows become a data manifest: frozen splits that everything after this stage reads."
    return f"v{active.version} is in use: " + " · ".join(f"{split} {count:,}" for split, count in active.rows.items())


def _draw_version(one: ManifestSummary, base: str) -> None:
    link(f"v{one.version}", f"{base}?version={one.version}")


def _draw_state(one: ManifestSummary) -> None:
    Badge(Sign("done", "in use") if one.is_active else Sign("idle", "kept"))


def _draw_moment(one: ManifestSummary) -> None:
    moment(one.created_at)


def _draw_run(one: ManifestSummary, project: int) -> None:
    link(one.run, f"/projects/{project}/runs/{one.run}")


def _sizes(one: ManifestSummary) -> str:
    return " · ".join(f"{split} {count:,}" for split, count in one.rows.items())
