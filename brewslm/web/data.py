"""/ui/projects/{id}/data: bring rows in, and see and take back what came in."""

import anyio

from brewslm.observe.connectors import ConnectorView, MapperView, connectors, mappers
from brewslm.observe.figures import counted
from brewslm.observe.imports import ImportView, imports
from brewslm.web.import_card import ImportCard
from brewslm.web.imports_card import ImportsCard
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box, button, link


async def page(project: str, new: str | None = None, source: str | None = None) -> None:
    """The page.

    Args:
        new: The wizard is open, if anything stands here.
        source: A locator that the wizard looks at by itself.
    """
    here = await opened(project)
    found = here.project
    sources, known_mappers, done = await anyio.to_thread.run_sync(_see, found.id)
    with here.frame("Data"):
        with box("div", "title"):
            with box("div"):
                Text("h1", "Data")
                Text("p", line(done), "muted figure")
            begin = button("Import dataset (auto-mapping)", classes="primary", aria_controls="wizard")
            link("Browse the rows", f"/projects/{found.id}/rows", "button")
        wizard = ImportCard(found.id, sources, known_mappers, source or "", opened=not done or bool(new or source))
        begin.on("click", wizard.open, [])
        wizard.opens(begin)
        ImportsCard(found.id, done)


def line(done: list[ImportView]) -> str:
    """Where the project's rows stand, in one line."""
    live = [one for one in done if not one.undone_by]
    if not live:
        return "No row counts yet. Name a source, see what is in it, dry run its mapping, and commit its rows."
    rows, rejected = sum(one.accepted_count for one in live), sum(one.rejected_count for one in live)
    count, lost = counted(rows, "row counts", "rows count"), counted(rejected, "was", "were")
    return f"{count}, out of {counted(len(live), 'import')}; {lost} rejected."


def _see(project: int) -> tuple[list[ConnectorView], list[MapperView], list[ImportView]]:
    return connectors(), mappers(), imports(project)
