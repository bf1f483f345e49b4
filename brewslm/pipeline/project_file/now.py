"""What each part of a project file asks for, held against what the project has: done already, to be done, or impossible.

A part is done when its newest run was made from the same inputs: what was asked, and the hashes of what it was made from. Both
are read from records that runs leave anyway, so that work that was done by hand counts as well.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.pipeline.project_file.schema import ProjectFile
from brewslm.pipeline.project_file.section import Section
from brewslm.rows.identity import canonical
from brewslm.stages.contract import Request
from brewslm.store import tables
from brewslm.store.files import read_json, run_folder
from brewslm.store.records import Records

SHORT = 32
"""Characters of a value that is shown in a reason; a hash has more."""


@dataclass(frozen=True)
class Look:
    """One part of a file, held against the project.

    Attributes:
        operation: Such as "train.run".
        subject: Which one, where there are several: a locator, an import, a slot.
        request: What would be asked; None where that can't be known yet.
        before: What is asked first; its result's content_hash goes into the request.
        inputs: What it would be made from, by name: asked values and hashes.
        done: Whether it is so already.
        run: The run that did it, where one did.
        why: Why it is to be done, or what was found.
        error: Why it can't be done.
    """

    operation: str
    subject: str = ""
    request: Request | None = None
    before: Request | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False
    run: str = ""
    why: str = ""
    error: StageError | None = None

    @property
    def fingerprint(self) -> str:
        """The hash of the inputs."""
        return hashlib.sha256(canonical({"subject": self.subject, **self.inputs})).hexdigest()[:16]


@dataclass(frozen=True)
class Now:
    """A file, and the project at one moment."""

    session: Session
    project: int
    file: ProjectFile

    @property
    def records(self) -> Records:
        """The tables, as an operation would look things up."""
        return Records(self.session, "plan", self.project, "plan")

    def newest_run(self, operation: str, **asked: Any) -> tables.Run | None:
        """The newest run of an operation that succeeded, of those that were asked with these values."""
        found = reversed(self.runs(operation))
        return next((run for run in found if all(run.request.get(name) == value for name, value in asked.items())), None)

    def runs(self, operation: str) -> Sequence[tables.Run]:
        """The runs of an operation that succeeded, oldest first."""
        query = select(tables.Run).where(
            tables.Run.project_id == self.project, tables.Run.operation == operation, tables.Run.state == "succeeded"
        )
        return self.session.scalars(query.order_by(tables.Run.number)).all()

    def experiment(self) -> tables.Experiment | None:
        """The newest that was trained."""
        table = tables.Experiment
        query = select(table).join(tables.Run, tables.Run.id == table.run_id).where(table.project_id == self.project)
        return self.session.scalars(query.order_by(tables.Run.number.desc())).first()


def job_of(run_id: str) -> dict[str, Any]:
    """The frozen job of a run; {} where it is gone."""
    path = run_folder(run_id) / "job.json"
    return dict(read_json(path)["job"]) if path.exists() else {}


def asked(section: Section, request: Request) -> dict[str, Any]:
    """The values of a section as a request has them, every one: what is asked the same way is the same."""
    return {name: value for name, value in request.model_dump(mode="json").items() if name not in section.left_out}


def held(
    operation: str, request: Request, run_id: str | None, then: Mapping[str, Any], inputs: Mapping[str, Any], never: str
) -> Look:
    """The look at one part whose newest run is known.

    Args:
        then: The inputs of that run.
        never: What is said where there is no such run.
    """
    differs = changed(then, inputs)
    if run_id is None:
        return Look(operation, request=request, inputs=inputs, why=never)
    if differs:
        return Look(operation, request=request, inputs=inputs, why=f"since {run_id}: {', '.join(differs)}")
    return Look(operation, request=request, inputs=inputs, done=True, run=run_id, why="made from the same inputs")


def changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, in words: a short value is shown on both sides, of a long one its name."""
    return [_difference(name, then.get(name), now.get(name)) for name in sorted({*then, *now}) if then.get(name) != now.get(name)]


def _difference(name: str, was: Any, is_now: Any) -> str:
    sides = [_side(value) for value in (was, is_now)]
    return f"{name} {sides[0]} → {sides[1]}" if all(sides) else f"{name} changed"


def _side(value: Any) -> str:
    """A short value as it is; "" for one that nobody would read, such as a hash."""
    if value is None or value == []:
        return "none"
    said = str(value) if isinstance(value, int | float | str) else ""
    return said if len(said) <= SHORT else ""


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as dotted names."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        made |= flat(value, f"{above}{name}.") if isinstance(value, dict) and value else {f"{above}{name}": value}
    return made


def digest(hashes: Iterable[str]) -> str:
    """One hash of many, whatever their order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:16]
