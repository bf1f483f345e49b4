"""/ui/projects/{id}/evaluation: what a model is worth, why a gate failed, and the rows behind every figure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio
from fastapi import Request
from nicegui import ui

from brewslm.errors import StageError
from brewslm.metrics.units import said
from brewslm.observe.evaluations import evaluation_of
from brewslm.observe.scorecards import EvaluationsPage, EvaluationView, evaluations
from brewslm.observe.trainings import trainings
from brewslm.reasons.refusals import UnknownRun
from brewslm.web.evaluation_asked import TABS, Asked, asked_for
from brewslm.web.evaluation_compared import comparison_tab
from brewslm.web.evaluation_errors import errors_tab
from brewslm.web.evaluation_list import list_tab
from brewslm.web.evaluation_packs import packs_tab
from brewslm.web.evaluation_rows import rows_tab
from brewslm.web.evaluation_scorecard import scorecard_tab
from brewslm.web.evaluation_start import start_tab
from brewslm.web.fields import Select
from brewslm.web.filters import left_out_card
from brewslm.web.opening import opened
from brewslm.web.parts import box, link, problem
from brewslm.web.pieces import empty, tabs, title_row
from brewslm.web.words import plain

Draw = Callable[[], object]
LINE = "Each model beside its base and cheap baselines, on rows it never saw; gates decide what may be promoted."
OF_ONE = ("scorecard", "rows", "errors", "compare")
"""Tabs that show one evaluation."""


@dataclass(frozen=True)
class Seen:
    """What the page shows.

    Attributes:
        page: The newest evaluations, for the choice.
        draw: Draws the tab.
        trained: The newest experiment, where nothing was measured yet.
    """

    asked: Asked
    page: EvaluationsPage
    draw: Draw
    trained: str | None


async def page(project: str, request: Request) -> None:
    """The tab that the address asks for."""
    here = await opened(project)
    query = dict(request.query_params)
    found = here.project
    given = asked_for(found.id, query)
    seen = await anyio.to_thread.run_sync(see, given.value)
    asked = seen.asked
    with here.frame("Evaluation"):
        with title_row("Evaluation", LINE):
            if seen.page.total and asked.tab != "start":
                link("New evaluation", asked.address("start"), "button")
        shown = [(text, asked.address(tab)) for text, tab in TABS.items() if seen.page.total or tab in ("packs", "start")]
        tabs("Evaluation", shown, next(text for text, tab in TABS.items() if tab == asked.tab))
        left_out_card(given, asked.turned())
        if asked.tab in OF_ONE and not seen.page.total:
            _nothing(found.id, seen.trained)
            return
        if asked.tab in OF_ONE:
            _choice(asked, seen.page)
        seen.draw()


def see(asked: Asked) -> Seen:
    """Read it; what can't be shown of a tab is shown as its problem.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    found = evaluations(asked.project)
    if asked.evaluation is None and found.evaluations:
        asked = asked.model_copy(update={"evaluation": found.evaluations[0].evaluation})
    trained = None
    if not found.total:
        ended = [one.id for one in trainings(asked.project).runs if one.task.state == "succeeded"]
        trained = ended[0] if ended else None
    try:
        draw = _read(asked) if found.total or asked.tab in ("packs", "start") else None
    except StageError as error:
        draw = partial(problem, error)
    return Seen(asked, found, draw or (lambda: None), trained)


def _read(asked: Asked) -> Draw:
    """Read what the tab shows; what is answered draws it."""
    if asked.tab in OF_ONE:
        _must_be_of(asked)
    tab: dict[str, Callable[[Asked], Draw]] = {
        "scorecard": scorecard_tab, "rows": rows_tab, "errors": errors_tab, "compare": comparison_tab, "all": list_tab,
        "packs": packs_tab, "start": start_tab,
    }  # fmt: skip
    return tab[asked.tab](asked)


def _must_be_of(asked: Asked) -> None:
    assert asked.evaluation is not None
    if evaluation_of(asked.evaluation).project_id != asked.project:
        where = f"project {asked.project}, {asked.evaluation}"
        raise StageError(UnknownRun(), where=where, cause="it is no evaluation of this project")


def _nothing(project: int, trained: str | None) -> None:
    with box("section", "card", aria_label="Nothing measured"):
        if trained is None:
            empty("No model was trained yet, so there is nothing to measure.", "Train one", f"/projects/{project}/training")
        else:
            empty("No model was measured yet.", f"Evaluate {trained}", f"/projects/{project}/evaluation?experiment={trained}")


def _choice(asked: Asked, page: EvaluationsPage) -> None:
    """A list of the newest; the shown one is in it, however old it is."""
    options = {one.evaluation: _named(one) for one in page.evaluations}
    chosen = asked.evaluation or ""
    options.setdefault(chosen, chosen)
    with box("div", "choice"):
        Select("Evaluation", options, chosen, lambda one: ui.navigate.to(_same_tab(asked, one)))


def _same_tab(asked: Asked, evaluation: str) -> str:
    return asked.model_copy(update={"evaluation": evaluation}).address(asked.tab)


def _named(one: EvaluationView) -> str:
    figure = f", {plain(one.metric_id)} {said(one.metric_id, one.metric.value)}" if one.metric and one.metric_id else ""
    verdict = "promotable" if one.promotable else "gates not met"
    return f"{one.evaluation}: {one.measured or one.experiment}{figure}, {verdict}"
