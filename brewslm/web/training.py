"""/ui/projects/{id}/training: choose the settings of a training, see whether it fits, take a plan, and begin it."""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from fastapi import Request

from brewslm.observe.status import StatusView, status
from brewslm.observe.tasks import task
from brewslm.observe.training_offer import TrainingOffer, differing, training_offer
from brewslm.observe.trainings import training
from brewslm.pipeline.runs import RunView
from brewslm.web.autopilot import AutopilotAction
from brewslm.web.opening import opened
from brewslm.web.parts import box
from brewslm.web.pieces import empty, title_row
from brewslm.web.running import running
from brewslm.web.training_form import Chosen, TrainingForm

LINE = (
    "Settings of the recipe, what preflight says of them on this machine, and three plans; nothing is trained before you say so."
)


@dataclass(frozen=True)
class Seen:
    """What the page shows; `checked` is the preflight whose result stands beside the form."""

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


def see(project: int, query: Mapping[str, str]) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject, InvalidRequest, UnknownRun): The address names what there is not.
    """
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
    return Seen(offer, chosen.but(settings=settings), checked, status(project), busy[0].task_id if busy else None)


def _chosen(query: Mapping[str, str]) -> Chosen:
    manifest = query.get("manifest", "")
    return Chosen(
        recipe=query.get("recipe") or None, base_model=query.get("base_model") or None,
        manifest=int(manifest) if manifest.isdecimal() else None, eval_pack=query.get("eval_pack") or None, settings={},
    )  # fmt: skip
