"""/ui/projects/{id}/playground: two models are asked the same thing, side by side. Nothing of it is kept."""

from functools import partial
from urllib.parse import urlencode

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict

from brewslm.observe.playground import Playable, how_to_ask, playables
from brewslm.observe.predict import HowAsked
from brewslm.web.answer_side import AnswerSide, no_model
from brewslm.web.fields import Select
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import refusal
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box, button
from brewslm.web.pieces import title_row
from brewslm.web.query import address, heard, usual_left_out
from brewslm.web.talk_form import TalkForm
from brewslm.web.words import plain

NONE = "none"
"""The right side's choice of no second model."""


class Asked(BaseModel):
    """Which models are asked; what they are asked stands in no address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: str = ""
    right: str = ""


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    models = await anyio.to_thread.run_sync(playables, found.id)
    asked = heard(Asked, request.query_params)
    for name in ("left", "right"):
        if getattr(asked.value, name) not in {"", NONE, *(one.id for one in models)}:
            asked = asked.without(name, "This project has no such model to ask: choose one of the list.")
    chosen = choose(models, asked.value.left, asked.value.right)
    how = await anyio.to_thread.run_sync(how_to_ask, chosen[0].experiment) if chosen else None
    with here.frame("Playground"):
        with title_row("Playground", "Ask two models the same thing. Nothing of what you ask or they answer is kept or counted."):
            pass
        left_out_card(asked, address(f"/projects/{found.id}/playground", usual_left_out(asked.value)))
        if how is None:
            no_model(found.id)
        else:
            _Playground(found.id, models, chosen, how)


def choose(models: list[Playable], left: str, right: str) -> list[Playable]:
    """The models of both sides: those that are named, or what answers now and the base it came from."""
    known = {one.id: one for one in models}
    if not models:
        return []
    first = known[left] if left not in ("", NONE) else models[0]
    if right == NONE:
        return [first]
    base = known.get(f"{first.experiment}:base")
    second = known[right] if right else base if base is not first else None
    return [first, second] if second else [first]


class _Playground:
    """The choice of models, the question, and a column for each model."""

    def __init__(self, project: int, models: list[Playable], chosen: list[Playable], how: HowAsked) -> None:
        self._project, self._chosen = project, [one.id for one in chosen]
        with box("section", "card", aria_labelledby="question"):
            Text("h2", "Question", id="question")
            titles = {one.id: one.title for one in models}
            with box("div", "fields"):
                Select("Left", titles, chosen[0].id, partial(self._choose, 0))
                second = chosen[1].id if len(chosen) > 1 else NONE
                Select("Right", titles | {NONE: "no second model"}, second, partial(self._choose, 1))
            self._form = TalkForm(how, self._send)
            with box("div", "actions"):
                button("Ask both" if len(chosen) > 1 else "Ask it", self._send, "primary")
            Text("p", f"Ctrl-Enter sends. It is asked as in training, for {plain(how.task_profile)}.", "muted")
        with box("div", "columns" if len(chosen) > 1 else "column-of-cards"):
            go_on = self._form.go_on if self._form.is_talk else None
            self._sides = [AnswerSide(project, one, go_on) for one in chosen]

    def _choose(self, side: int, name: str) -> None:
        chosen = [*self._chosen, NONE][:2]
        chosen[side] = name
        query = urlencode({"left": chosen[0], "right": chosen[1]})
        ui.navigate.to(f"/projects/{self._project}/playground?{query}")

    async def _send(self) -> None:
        asked = self._form.asked()
        if not asked:
            return
        async with anyio.create_task_group() as tasks:
            for side in self._sides:
                tasks.start_soon(side.ask, asked, lambda error: self._form.blame(refusal(error)))
