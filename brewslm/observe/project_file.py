"""Read-only views of a project file: what is wrong with it, what a project's own would be, and what applying one would do."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.pipeline.project_file.diff import FileDiff, file_diff
from brewslm.pipeline.project_file.exporting import exported
from brewslm.pipeline.project_file.plan import StageName, Step, checked_range, plan
from brewslm.pipeline.project_file.reading import Beside, Paths, problems_of, within
from brewslm.pipeline.project_file.schema import ProjectFile, as_value
from brewslm.pipeline.project_file.text import dump, read_file
from brewslm.reasons.refusals import FileProblem, InvalidRequest
from brewslm.store.files import write_atomic

HEAD = """What this project is, and how its pipeline runs.
Check it: brewslm project validate. Make a project so: brewslm project apply. Run it: brewslm pipeline run."""


class FileReport(BaseModel):
    """Whether a file can be applied, and everything that is wrong with it."""

    valid: bool
    problems: list[FileProblem]


def file_report(path: Path) -> FileReport:
    """Check a file of this machine's owner; its paths start from its folder.

    Raises:
        StageError(ProjectFileInvalid): It can't be read.
    """
    return text_report(read_file(path), Beside(path.parent))


def text_report(text: str, paths: Paths) -> FileReport:
    """Check a text."""
    found = problems_of(text, paths)
    return FileReport(valid=not found, problems=found)


class FileView(BaseModel):
    """A project as its file.

    Attributes:
        text: As it is written to brewslm.yaml.
        file: The same as values.
    """

    text: str
    file: dict[str, Any]


def file_of(project: int, folder: Path) -> FileView:
    """The file that would make a project: what its newest operations that succeeded were asked for.

    Args:
        folder: Paths inside it are written from there.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    value = within(as_value(exported(project)), folder)
    return FileView(text=dump(value, HEAD), file=value)


def written(project: int, out: Path) -> FileView:
    """Write a project's file, whole or not at all; in place of one that is there.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(InvalidRequest): The folder is not there.
    """
    if not out.parent.is_dir():
        raise StageError(InvalidRequest(), "The file was not written", where=str(out), cause="there is no such folder")
    made = file_of(project, out.parent)
    write_atomic(out, made.text.encode())
    return made


def diff_of(file: ProjectFile, project: int) -> FileDiff:
    """A file beside a project, field by field, and what applying it would do.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    return file_diff(file, project)


def plan_of(file: ProjectFile, project: int | None, first: StageName | None = None, last: StageName | None = None) -> list[Step]:
    """What would be done, part by part; None for a project that is yet to be made.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(InvalidRequest): The last stage comes before the first.
    """
    checked_range(first, last)
    return plan(project, file, first, last)
