"""brewslm.yaml over HTTP: its text is sent and answered, and its paths lead to uploads and opened folders alone."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from brewslm.api.uploads import readable, readable_file, readable_path, uploads_folder
from brewslm.api.work import ACTOR, Fields, accepted, asked
from brewslm.observe.project_file import FileReport, FileView, diff_of, file_of, plan_of, text_report
from brewslm.observe.projects import projects
from brewslm.pipeline.project_file.diff import FileDiff
from brewslm.pipeline.project_file.exporting import exported
from brewslm.pipeline.project_file.plan import StageName, Step, checked_range
from brewslm.pipeline.project_file.reading import load
from brewslm.pipeline.project_file.running import ApplyRequest, PipelineRequest, ask, project_for
from brewslm.pipeline.project_file.schema import ProjectFile
from brewslm.pipeline.project_file.text import MOST_BYTES
from brewslm.pipeline.runs import RunView
from brewslm.settings import settings

router = APIRouter(prefix="/api", tags=["projects"])


class TextFields(Fields):
    """The text of a project file."""

    text: str = Field(max_length=MOST_BYTES)

    def file(self) -> ProjectFile:
        """What it says.

        Raises:
            StageError(ProjectFileInvalid): With every problem, each at its line.
        """
        return load(self.text, Readable())


class ApplyFields(TextFields):
    """See project.apply; without a project it is that of the file's name, which is made where there is none."""

    project: int | None = None


class PipelineFields(Fields):
    """See pipeline.run; without a text it is what the project was asked for last."""

    text: str | None = Field(default=None, max_length=MOST_BYTES)
    from_stage: StageName | None = None
    to_stage: StageName | None = None

    def request(self, project: int) -> dict[str, Any]:
        """The fields of the operation."""
        checked_range(self.from_stage, self.to_stage)
        file = exported(project) if self.text is None else load(self.text, Readable())
        return {"project": project, "file": file, "from_stage": self.from_stage, "to_stage": self.to_stage}


class Readable:
    """Paths of a file that came over HTTP: those that the API may read, and base models that projects have already."""

    def locator(self, locator: str) -> str:
        """As `readable`."""
        known = {settings().base_model, *(one.base_model for one in projects())} if locator.startswith("path:") else set()
        return locator if locator in known else readable(locator)

    def name(self, name: str) -> str:
        """As `readable_path`."""
        return readable_path(name)

    def file(self, path: str) -> str:
        """As `readable_file`."""
        return readable_file(path)


@router.get("/projects/{project}/file", operation_id="project.export")
def export(project: int) -> FileView:
    """The file that would make this project: what its newest operations that succeeded were asked for."""
    return file_of(project, uploads_folder())


@router.post("/project-files/validate", operation_id="project.validate")
def validate(fields: TextFields) -> FileReport:
    """Check a project file: every problem, with its line and column."""
    return text_report(fields.text, Readable())


@router.post("/projects/{project}/file/diff", operation_id="project.diff")
def diff(project: int, fields: TextFields) -> FileDiff:
    """A file beside the project, field by field, and what applying it would do."""
    return diff_of(fields.file(), project)


@router.post("/project-files/apply", operation_id="project.apply", status_code=202)
def apply(fields: ApplyFields, response: Response) -> RunView:
    """Make a project what a file says. The same file sent again after a failure goes on where it stopped."""
    file = fields.file()
    number = project_for(ACTOR, file, fields.project)
    return accepted(ask(ACTOR, asked(ApplyRequest, project=number, file=file), detach=True), response)


@router.post("/projects/{project}/pipeline/plan", operation_id="pipeline.plan")
def planned(project: int, fields: PipelineFields | None = None) -> list[Step]:
    """What running the pipeline would do, part by part; nothing is done."""
    given = (fields or PipelineFields()).request(project)
    return plan_of(given["file"], project, given["from_stage"], given["to_stage"])


@router.post("/projects/{project}/pipeline/run", operation_id="pipeline.run", status_code=202)
def run(project: int, response: Response, fields: PipelineFields | None = None) -> RunView:
    """Run the stages in order, as far as their inputs have changed; after a failure it goes on where it stopped."""
    given = (fields or PipelineFields()).request(project)
    return accepted(ask(ACTOR, asked(PipelineRequest, **given), detach=True), response)
