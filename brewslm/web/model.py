"""/ui/models/{subject}: the passport of a model: what made it, who ran what, and whether every hash still holds."""

from functools import partial

import anyio

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.modelpassport import ModelPassport, model_passport
from brewslm.observe.modelstory import ModelStory, model_story
from brewslm.observe.projects import projects
from brewslm.web.doing import Busy, attempt
from brewslm.web.layout import frame
from brewslm.web.model_cards import chain_table, made_of, measured, steps, uses
from brewslm.web.parts import Badge, Text, box, button, problem
from brewslm.web.pieces import title_row
from brewslm.web.problem_page import known_project
from brewslm.web.words import Sign


async def page(subject: str) -> None:
    """The passport."""
    known = await anyio.to_thread.run_sync(projects)
    story = await anyio.to_thread.run_sync(model_story, subject)
    project = known_project(known, str(story.project))
    above = [("Projects", "/"), (project.name, f"/projects/{project.id}")]
    with frame(known, [*above, (f"Model {subject}", "")], project):
        chain = _Chain(story)
        with title_row(f"Model {subject}", _line(story)):
            button("Verify every hash", chain.verify, "primary")
            Text("a", "Download the passport", "button", href=f"/api/models/{subject}/passport", download=f"{subject}.json")
        with box("div", "column-of-cards"):
            chain.draw()
            made_of(story)
            measured(story)
            uses(story)
            steps(story)


def _line(story: ModelStory) -> str:
    said = f"{story.experiment}, trained on {story.base_model}"
    if story.export:
        said += f", exported as {story.export}{f':{story.variant}' if story.variant else ''}"
    return said + (f", deployed as {story.deployment}" if story.deployment else "") + "."


class _Chain:
    """Each hash of the chain, computed anew when somebody asks: of large files it takes a while."""

    def __init__(self, story: ModelStory) -> None:
        self._story = story

    def draw(self) -> None:
        """The card."""
        with box("section", "card", aria_labelledby="chain"):
            Text("h2", "Chain of hashes", id="chain")
            about = "From the base model to what is served, each hash computed anew and held against what was written down."
            Text("p", about, "muted")
            self._busy = Busy()
            self._outcome = box("div")
        with self._outcome:
            Text("p", "It was not verified on this page yet.", "empty")

    async def verify(self) -> None:
        """Compute every hash."""
        if self._busy.is_on:
            return
        with self._busy.doing("Computing every hash…"):
            found = await attempt(partial(model_passport, self._story.subject))
        self._outcome.clear()
        with self._outcome:
            if isinstance(found, StageError):
                problem(found)
            else:
                _told(found)


def _told(found: ModelPassport) -> None:
    with box("p", "event-head", role="status"):
        if found.broken is None:
            Badge(Sign("done", "whole"))
            Text("span", f"{counted(len(found.links), 'link holds', 'links hold')}.")
        else:
            Badge(Sign("failed", "broken"))
            Text("span", f"{found.broken.link} {found.broken.name}: {found.broken.cause}. What is behind it stands on nothing.")
    chain_table(found)
