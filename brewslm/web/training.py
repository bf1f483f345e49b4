"""/ui/projects/{id}/training: choose the settings of a training, see whether it fits, take a plan, and begin it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.evalpacks import eval_pack
from brewslm.observe.status import StatusView, status
from brewslm.observe.tasks import task
from brewslm.observe.training_offer import TrainingOffer, differing, training_offer
from brewslm.observe.trainings import training
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest, UnknownProject
from brewslm.web.autopilot import AutopilotAction
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import refusal
from brewslm.web.opening import opened
from brewslm.web.parts import box
from brewslm.web.pieces import empty, title_row
from brewslm.web.query import address, heard
from brewslm.web.running import running
from brewslm.web.training_form import Chosen, TrainingForm

LINE = (
    "Settings of the recipe, what preflight says of them on this machine, and three plans; nothing is trained before you say so."
)

MOST_DIGITS = 9
"""Of the number of a version."""


@dataclass(frozen=True)
class Seen:
    """What the page shows; `checked` is the preflight whose result stands beside the form.

    Attributes:
        faults: Of the address: field → why it was left out.
    """

    faults: Mapping[str, str]
    offer: TrainingOffer
    chosen: Chosen
    checked: RunView | None
    view: StatusView
    busy: str | None


async def page(project: str, request: Request) -> None:
    """The form, filled in as the address says."""
    here = await opened(project)
    query = dict(request.query_params)
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id, query)
    with here.frame("Training Config"):
        with title_row("Training Config", LINE):
            autopilot = AutopilotAction(found.id)
        given = heard(Query, query)
        usable = {name: value for name, value in query.items() if name not in seen.faults}
        left_out_card(replace(given, faults=seen.faults), address(f"/projects/{found.id}/training", usable))
        autopilot.show(seen.view, seen.busy)
        if seen.offer.task_profile is None:
            with box("section", "card", aria_label="Nothing prepared"):
                empty(
                    "No data is prepared yet: a training learns from a frozen manifest.",
                    "Prepare the data",
                    f"/projects/{found.id}/prepare",
                )
            return
        autopilot.chosen = TrainingForm(found.id, seen.offer, seen.chosen, seen.checked).for_autopilot


class Query(BaseModel):
    """The address: the names of the recipe's settings among others."""

    model_config = ConfigDict(extra="allow")


def see(project: int, query: Mapping[str, str]) -> Seen:
    """Read it; what the address names and there is not is left out, and said.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    faults = _faults(project, query)
    query = {name: value for name, value in query.items() if name not in faults}
    chosen = _chosen(query)
    offer = training_offer(project, manifest=chosen.manifest, base_model=chosen.base_model, recipe=chosen.recipe)
    names = {field.name for field in offer.fields}
    settings = {name: value for name, value in query.items() if name in names and value}
    if query.get("from"):
        former = training(query["from"])
        if former.recipe is not None:
            offer = training_offer(project, base_model=former.base_model, recipe=former.recipe.id)
            settings = differing(former.recipe.id, former.told()) | settings
            chosen = chosen.but(recipe=former.recipe.id, base_model=former.base_model)
    checked = task(query["check"]) if query.get("check") else None
    if checked is not None and (checked.project != project or checked.operation != "preflight.run"):
        checked = None
    busy = running(project)
    return Seen(faults, offer, chosen.but(settings=settings), checked, status(project), busy[0].task_id if busy else None)


def _faults(project: int, query: Mapping[str, str]) -> dict[str, str]:
    """What the address names that there is not."""
    reads: dict[str, Callable[[str], object]] = {
        "manifest": lambda said: training_offer(project, manifest=_version(said)),
        "recipe": lambda said: training_offer(project, recipe=said),
        "eval_pack": eval_pack, "from": training, "check": task,
    }  # fmt: skip
    faults = {}
    for name, read in reads.items():
        if query.get(name):
            try:
                read(query[name])
            except StageError as error:
                if isinstance(error.reason, UnknownProject):
                    raise
                faults[name] = refusal(error)
    return faults


def _version(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > MOST_DIGITS:
        raise StageError(InvalidRequest(), "It is no version's number", next_step="Choose one under Data.")
    return int(said)


def _chosen(query: Mapping[str, str]) -> Chosen:
    manifest = query.get("manifest", "")
    return Chosen(
        recipe=query.get("recipe") or None, base_model=query.get("base_model") or None,
        manifest=int(manifest) if manifest.isdecimal() else None, eval_pack=query.get("eval_pack") or None, settings={},
    )  # fmt: skip
