"""One model of the playground: whether it is served, and what it answers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from nicegui import ui

from brewslm.api.uploads import readable_file
from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.playground import Playable, ask, playable, start
from brewslm.observe.predict import Timed
from brewslm.reasons.refusals import InvalidRequest
from brewslm.web.doing import attempt
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.words import Sign, milliseconds, percent

SIGNS = {
    "live": Sign("done", "served"),
    "starting": Sign("running", "starting"),
    "idle": Sign("idle", "not served"),
    "failed": Sign("failed", "can't be served"),
}
PARTS_SECONDS = 0.1
START_SECONDS = 0.5
LABELS_SHOWN = 10


class AnswerSide:
    """A column.

    Args:
        on_go_on: Gets an answer that shall be taken into the talk; None where there is no talk.
    """

    def __init__(self, project: int, model: Playable, on_go_on: Callable[[str], None] | None) -> None:
        self._project, self.model, self._on_go_on = project, model, on_go_on
        self._parts: list[str] = []
        self._is_asked = False
        with box("section", "card side", aria_label=model.title):
            with box("div", "card-head"):
                Text("h2", model.title)
                self._badge = Badge(SIGNS[model.state])
            self._state = box("div", "side-state")
            self._said = box("div", "side-answer", aria_live="polite")
        self._draw_state()
        self._starting = ui.timer(START_SECONDS, self._look, active=model.state == "starting")

    def _draw_state(self) -> None:
        model = self.model
        self._badge.show(SIGNS[model.state])
        self._state.clear()
        with self._state:
            if model.state in ("idle", "failed"):
                Text("p", model.why or "No model server runs for it now.", "is-failed" if model.state == "failed" else "muted")
                said = "Start it here" if model.state == "idle" else "Try to start it"
                button(said, self._start, "primary" if model.state == "idle" else "", aria_label=f"{said}: {model.title}")
            elif model.state == "starting":
                Text("p", "Its model is being loaded; it is ended when nobody has asked it for ten minutes.", "muted")

    async def _start(self) -> None:
        done = await attempt(partial(start, self._project, self.model.id))
        if isinstance(done, StageError):
            self._state.clear()
            with self._state:
                problem(done)
            return
        self._starting.activate()
        await self._look()

    async def _look(self) -> None:
        """While it starts."""
        now = await anyio.to_thread.run_sync(playable, self._project, self.model.id)
        if now is None:
            self._starting.deactivate()
            return
        if now != self.model:
            self.model = now
            self._draw_state()
        if now.state != "starting":
            self._starting.deactivate()

    async def ask(self, asked: dict[str, Any], on_refusal: Callable[[StageError], None]) -> None:
        """Put the question, and show the answer as it comes.

        Args:
            on_refusal: Gets why no model can be asked this: it lies in what was asked, and is said there.
        """
        if self._is_asked:
            return
        if self.model.state != "live":
            self._said.clear()
            with self._said:
                Text("p", "It was not asked: it is not served now.", "empty")
            return
        self._is_asked = True
        self._parts = []
        self._said.clear()
        with self._said:
            coming = Text("p", "…", "said-text")
            timer = ui.timer(PARTS_SECONDS, lambda: self._show_parts(coming))
        try:
            found = await attempt(partial(ask, self._project, self.model.id, asked, readable_file, self._parts.append))
        finally:
            timer.cancel()
            self._is_asked = False
        self._said.clear()
        with self._said:
            if isinstance(found, StageError) and isinstance(found.reason, InvalidRequest):
                Text("p", "It was not asked: see what is wrong with the question.", "empty")
                on_refusal(found)
            elif isinstance(found, StageError):
                problem(found)
            else:
                self._answer(found)
        if isinstance(found, StageError):
            await self._look()

    def _show_parts(self, coming: Text) -> None:
        if self._parts:
            coming.text = "".join(self._parts)

    def _answer(self, found: Timed) -> None:
        answer = found.answer
        if found.refused is not None:
            Badge(Sign("needs", "refused") if found.refused else Sign("info", "answered"))
        if isinstance(answer.output, list):
            _spans(answer.output)
        elif isinstance(answer.output, dict):
            _fields(answer.output)
        else:
            Text("p", str(answer.output) or "It wrote nothing.", "said-text")
        if answer.scores:
            _scores(answer.scores)
        for kind, count in sorted(answer.problems.items()):
            Text("p", f"Could not be used: {kind} {count:,}", "is-needs muted")
        Text("p", _pace(found), "muted figure")
        if self._on_go_on is not None and isinstance(answer.output, str) and answer.output:
            button("Go on with this answer", partial(self._on_go_on, answer.output))


def _pace(found: Timed) -> str:
    said = [milliseconds(found.seconds)]
    if found.first_seconds is not None:
        said.append(f"first token after {milliseconds(found.first_seconds)}")
    if found.tokens:
        said.append(counted(found.tokens, "token"))
    if found.tokens_per_second is not None:
        said.append(f"{found.tokens_per_second:,.0f} tok/s")
    return " · ".join(said)


def _scores(scores: dict[str, float]) -> None:
    """Each label's probability, the largest first, as figure and bar."""
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    with box("dl", "scores", aria_label="Probability of each label"):
        for label, share in ranked[:LABELS_SHOWN]:
            Text("dt", label)
            with box("dd"):
                with box("span", "score-line", aria_hidden="true"):
                    box("span", "score").style(f"width: {share:.1%}")
                Text("span", percent(share), "figure")
    if len(ranked) > LABELS_SHOWN:
        Text("p", f"and {counted(len(ranked) - LABELS_SHOWN, 'less probable label')}", "muted")


def _spans(spans: list[dict[str, Any]]) -> None:
    if not spans:
        Text("p", "Nothing was found.", "said-text")
    with box("ul", "lines"):
        for span in spans:
            with box("li"):
                Text("span", f"{span['type']} ", "mono")
                Text("span", f"{span['text']} ")
                Text("span", f"{span['start']:,} to {span['end']:,}", "muted figure")


def _fields(values: dict[str, Any]) -> None:
    with box("dl", "values"):
        for name, value in values.items():
            Text("dt", name)
            Text("dd", "–" if value is None else str(value), "mono")


def no_model(project: int) -> None:
    """There is nothing to ask."""
    with box("section", "card", aria_label="No model"), box("div", "nothing"):
        Text("p", "There is no model to ask yet: a model is asked once it is exported.", "empty")
        link("Export a model", f"/projects/{project}/export", "button primary")
