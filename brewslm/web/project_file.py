"""A project as an uploaded brewslm.yaml says: everything that is wrong with it at its line, then what applying would do."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nicegui import ui

from brewslm.api.project_files import Readable
from brewslm.api.uploads import readable_file
from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.project_file import diff_of, plan_of, text_report
from brewslm.pipeline.project_file.diff import FieldDifference
from brewslm.pipeline.project_file.plan import Step
from brewslm.pipeline.project_file.reading import load
from brewslm.pipeline.project_file.running import ApplyRequest, ask, known_project, project_for
from brewslm.pipeline.project_file.schema import ProjectFile
from brewslm.pipeline.project_file.text import read_file
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import FileProblem
from brewslm.web.changes import Change, config_diff
from brewslm.web.confirm import Confirm
from brewslm.web.doing import ACTOR, attempt
from brewslm.web.fields import FileField
from brewslm.web.notices import remember
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.pieces import Column, empty, table
from brewslm.web.words import Sign

STEP_SIGNS = {"run": Sign("info", "to do"), "up_to_date": Sign("done", "done before"), "blocked": Sign("failed", "blocked")}


@dataclass(frozen=True)
class Checked:
    """A file that was read: what is wrong with it, or what applying it would do.

    Attributes:
        project: The one that has its name already; None: it is to be made.
    """

    text: str
    problems: list[FileProblem]
    file: ProjectFile | None = None
    project: int | None = None
    differences: tuple[FieldDifference, ...] = ()
    steps: tuple[Step, ...] = ()


def check(path: str) -> Checked:
    """Read an uploaded file and hold it against the project of its name.

    Raises:
        StageError: It can't be read.
    """
    text = read_file(Path(readable_file(path)))
    report = text_report(text, Readable())
    if not report.valid:
        return Checked(text, report.problems)
    file = load(text, Readable())
    known = known_project(file)
    if known is None:
        return Checked(text, [], file, None, steps=tuple(plan_of(file, None)))
    diff = diff_of(file, known)
    return Checked(text, [], file, known, tuple(diff.differences), tuple(diff.steps))


class FromFile:
    """The upload, and what comes of it."""

    def __init__(self) -> None:
        FileField("Upload brewslm.yaml", "It is only read and checked; nothing is done before you say so", self._kept)
        self._found = box("div", "file-found")

    async def _kept(self, path: str) -> None:
        checked = await attempt(partial(check, path))
        self._found.clear()
        with self._found:
            if isinstance(checked, StageError):
                problem(checked)
            elif checked.problems:
                _wrong(checked)
            else:
                self._plan(checked)

    def _plan(self, checked: Checked) -> None:
        assert checked.file is not None
        name = checked.file.project.name
        with box("p"):
            if checked.project is None:
                Text("span", f"{name} is not there yet: it will be made.")
            else:
                link(name, f"/projects/{checked.project}")
                Text("span", " is there already: it will be made what the file says. What only the project has stays.")
        if checked.project is not None:
            Text("h3", "What differs")
            found = [Change(one.where, one.project, one.file) for one in checked.differences]
            config_diff("Settings that differ", found, ("The project", "The file"))
        Text("h3", "What applying does")
        _steps(checked.steps)
        with box("div") as self._actions:
            self._act(checked)
        self._confirm = Confirm("Apply the file")

    def _act(self, checked: Checked) -> None:
        """The button, or why there is none."""
        todo, blocked = (sum(one.action == action for one in checked.steps) for action in ("run", "blocked"))
        with box("div", "actions"):
            if blocked:
                Text("p", f"{blocked} of its parts can't be done: mend the file, or what they need.", "is-failed", role="alert")
            elif todo or checked.project is None:
                parts = counted(todo, "part")
                said = f"Create project and do {parts}" if checked.project is None else f"Apply {parts}"
                button(said, partial(self._ask, checked) if checked.project else partial(self._apply, checked), "primary")
            else:
                empty("There is nothing to do: the project is what the file says.")

    def _ask(self, checked: Checked) -> None:
        """What a project that is there would lose or get is said once more: an import may be undone by it."""
        assert checked.file is not None
        parts = [" ".join(filter(None, (one.operation, one.subject))) for one in checked.steps if one.action == "run"]
        title = f"Apply the file to {checked.file.project.name}?"
        sentences = ["These are done, in this order: " + ", ".join(parts) + ". Each is a run of its own."]
        self._confirm.ask(title, sentences, "Apply now", partial(self._apply, checked))

    async def _apply(self, checked: Checked) -> None:
        assert checked.file is not None
        queued = await attempt(partial(_applied, checked.file, checked.project))
        self._actions.clear()
        with self._actions:
            if isinstance(queued, StageError):
                problem(queued)
                self._act(checked)
            else:
                remember(queued.task_id)
                ui.navigate.to(f"/projects/{queued.project}")


def _applied(file: ProjectFile, known: int | None) -> RunView:
    number = project_for(ACTOR, file, known)
    return ask(ACTOR, ApplyRequest(project=number, file=file), detach=True)


def _wrong(checked: Checked) -> None:
    """Each problem with the line that it stands in."""
    lines = checked.text.splitlines()
    Text(
        "p",
        f"The file can't be applied: {counted(len(checked.problems), 'problem')}. Mend it, and choose it again.",
        "is-failed",
        role="alert",
    )
    with box("ol", "file-problems"):
        for one in checked.problems:
            with box("li", "problem"):
                Text("p", ": ".join(filter(None, (one.position, one.where))), "mono")
                if one.line is not None and one.line <= len(lines):
                    Text("pre", f"{one.line:>4}  {lines[one.line - 1]}\n{' ' * ((one.column or 1) + 5)}^", "file-line")
                Text("p", one.cause)
                if one.next_step:
                    Text("p", f"Next: {one.next_step}", "muted")


def _steps(steps: tuple[Step, ...]) -> None:
    def sign(one: Step) -> None:
        Badge(STEP_SIGNS[one.action])

    table(
        "What applying does",
        (
            Column("Part", lambda one: " ".join(filter(None, (one.operation, one.subject))), "mono"),
            Column("State", sign),
            Column("Why", lambda one: one.why),
        ),
        steps,
    )
