"""/ui/projects/{id}/data: bring rows in, and see and take back what came in."""

import anyio

from brewslm.errors import StageError
from brewslm.observe.connectors import ConnectorView, MapperView, connectors, mappers
from brewslm.observe.imports import ImportView, imports
from brewslm.observe.projects import projects
from brewslm.web.import_card import ImportCard
from brewslm.web.imports_card import ImportsCard
from brewslm.web.layout import frame
from brewslm.web.parts import Text, box
from brewslm.web.problem_page import known_project, problem_page


async def page(project: str) -> None:
    """The page."""
    known = await anyio.to_thread.run_sync(projects)
    try:
        found = known_project(known, project)
        sources, known_mappers, done = await anyio.to_thread.run_sync(_see, found.id)
    except StageError as error:
        problem_page(known, error)
        return
    with frame(known, [("Projects", "/"), (found.name, f"/projects/{found.id}"), ("Data", "")], found):
        with box("div", "title"), box("div"):
            Text("h1", "Data")
            Text("p", "Stages 1 to 4: name a source, see what is in it, dry run its mapping, and commit the rows.", "muted")
        ImportCard(found.id, sources, known_mappers)
        ImportsCard(found.id, done)


def _see(project: int) -> tuple[list[ConnectorView], list[MapperView], list[ImportView]]:
    return connectors(), mappers(), imports(project)
