"""What applying a project file would do, part by part, before anything is done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError, did_you_mean
from brewslm.pipeline.project_file import data, models
from brewslm.pipeline.project_file.now import Look, Now
from brewslm.pipeline.project_file.schema import ProjectFile
from brewslm.reasons.refusals import InvalidRequest
from brewslm.reasons.shown import shown_locator
from brewslm.store.database import reading
from brewslm.store.records import project_of

Action = Literal["run", "up_to_date", "blocked"]
StageName = Literal["map_commit", "clean", "prepare", "preflight", "train", "evaluate", "export", "deploy"]
"""Stages of the lifecycle that a pipeline may begin or end with."""


class Step(BaseModel):
    """One thing that a file asks for.

    Attributes:
        stage: Of the lifecycle; "" for what belongs to none.
        operation: Such as "train.run".
        subject: Which one, where there are several: a source, a slot, an import to undo.
        action: run: it is, or was, to be done. up_to_date: it was done from the same inputs. blocked: it can't be done.
        why: Why, in words.
        run: The run that did it; "" of what is still to be done.
    """

    model_config = ConfigDict(frozen=True)

    stage: str
    operation: str
    subject: str = ""
    action: Action
    why: str = ""
    run: str = ""


@dataclass(frozen=True)
class Part:
    """One kind of step.

    Attributes:
        after: Operations whose doing changes what this one is made from.
        look: Holds the file's part against the project, and writes nothing.
    """

    stage: str
    operation: str
    look: Callable[[Now], Iterator[Look]]
    after: tuple[str, ...] = ()


PARTS = (
    Part("", "project.change", data.base),
    Part("map_commit", "import.undo", data.undone),
    Part("map_commit", "map.commit", data.sources),
    Part("clean", "documents.add", data.added),
    Part("clean", "clean.run", data.cleaned, ("project.change", "documents.add")),
    Part("prepare", "prepare.run", data.prepared, ("project.change", "import.undo", "map.commit", "clean.run")),
    Part("preflight", "preflight.run", models.preflighted, ("project.change", "prepare.run")),
    Part("train", "train.run", models.trains, ("project.change", "prepare.run")),
    Part("evaluate", "evaluate.run", models.evaluates, ("train.run",)),
    Part("export", "export.run", models.exports, ("train.run",)),
    Part("deploy", "deploy.create", models.versions, ("train.run", "export.run")),
    Part("deploy", "deploy.settings", models.gateways),
    Part("deploy", "deploy.schedule", models.schedules),
)
"""In the order in which they are done."""
ORDER = tuple(dict.fromkeys(part.stage for part in PARTS))


def checked_range(first: str | None, last: str | None) -> None:
    """The stages may stand so.

    Raises:
        StageError(InvalidRequest): One is none that a pipeline has, or the last comes before the first.
    """
    known = [stage for stage in ORDER if stage]
    for name in (first, last):
        if name is not None and name not in known:
            raise StageError(InvalidRequest(), f"the pipeline has no stage {name}", cause=did_you_mean(name, known))
    if first is not None and last is not None and ORDER.index(last) < ORDER.index(first):
        raise StageError(InvalidRequest(), "the pipeline can't run so", cause=f"{last} comes before {first}")


def parts_of(first: str | None, last: str | None) -> list[Part]:
    """The parts from one stage to another, both inside; from the very beginning and to the end where none is named."""
    begin, end = ORDER.index(first) if first else 0, ORDER.index(last) if last else len(ORDER)
    return [part for part in PARTS if begin <= ORDER.index(part.stage) <= end]


def plan(project: int | None, file: ProjectFile, first: str | None = None, last: str | None = None) -> list[Step]:
    """What would be done for a project; for one that is yet to be made, everything.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    if project is None:
        made = Step(
            stage="", operation="project.create", subject=file.project.name, action="run", why="there is none of this name"
        )
        return [
            made,
            *(
                Step(stage=part.stage, operation=part.operation, subject=subject, action="run", why="the project is new")
                for part in parts_of(first, last)
                for subject in declared(file, part.operation)
            ),
        ]
    steps: list[Step] = []
    with reading() as session:
        project_of(session, project)
        for part in parts_of(first, last):
            running = [step.operation for step in steps if step.action == "run" and step.operation in part.after]
            steps += [_planned(part, look, running) for look in part.look(Now(session, project, file))]
    return steps


def _planned(part: Part, look: Look, running: list[str]) -> Step:
    """A part whose inputs are just being made anew is done, or becomes possible, after them."""
    if not look.done and look.error is None:
        return step_of(part, look, "run")
    if running:
        return step_of(part, look, "run", why=f"after {running[-1]}", run="")
    if look.error is not None:
        said = "; ".join(text for text in (look.error.what, look.error.where, look.error.cause) if text)
        return step_of(part, look, "blocked", why=said)
    return step_of(part, look, "up_to_date")


def step_of(part: Part, look: Look, action: Action, *, why: str | None = None, run: str | None = None) -> Step:
    """A look as a step."""
    return Step(
        stage=part.stage, operation=look.operation, subject=look.subject, action=action, why=look.why if why is None else why,
        run=look.run if run is None else run,
    )  # fmt: skip


def declared(file: ProjectFile, operation: str) -> list[str]:
    """Which steps of an operation a file asks for, by their subjects."""
    single = {
        "documents.add": file.documents, "clean.run": file.clean, "prepare.run": file.prepare, "preflight.run": file.preflight,
        "train.run": file.train, "evaluate.run": file.evaluate, "export.run": file.export,
    }  # fmt: skip
    if operation in single:
        return [""] if single[operation] is not None else []
    many = {
        "map.commit": [shown_locator(source.locator) for source in file.sources],
        "deploy.create": [slot.name for slot in file.deploy],
        "deploy.settings": [slot.name for slot in file.deploy if slot.settings is not None],
        "deploy.schedule": [slot.name for slot in file.deploy if slot.schedule is not None],
    }
    return many.get(operation, [])
