"""Makes a support bundle: what will be written, a second click, and what came of it."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.support import SupportContents, support_bundle
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.pipeline.support import MEGABYTES, SupportBundleRequest
from brewslm.web.confirm import Confirm
from brewslm.web.doing import attempt, follow
from brewslm.web.fields import Select
from brewslm.web.parts import Badge, Text, box, button, problem, problem_document
from brewslm.web.projects import ACTOR
from brewslm.web.support_made import hand_over
from brewslm.web.words import Sign, file_size, plain

SIZES = (8, MEGABYTES, 128, 1024)


class Maker:
    """The button and what follows it.

    Attributes:
        on_made: Called when one was made.
    """

    on_made: Callable[[], Awaitable[None]] | None = None

    def __init__(self, contents: SupportContents) -> None:
        self._contents, self._megabytes = contents, MEGABYTES
        with box("div", "actions"):
            button("Make a support bundle", self._ask, "primary")
        self._confirm = Confirm("Make a support bundle")

    def _ask(self) -> None:
        found = self._contents
        of = f"{found.of_run} and what ran under it" if found.of_run else "the whole project"
        files = f"{counted(found.runs, 'run')}, {counted(found.events, 'event')}, {counted(found.logs, 'log')}"
        self._megabytes, key = MEGABYTES, f"page-{uuid4()}"
        self._confirm.ask(
            f"Make a bundle of {of}?",
            [
                f"One zip in the project's folder: {files}, redacted.",
                "Nothing leaves this machine: you hand it over yourself. Look at it before you do; it is plain text.",
            ],
            "Make it now",
            partial(self._make, key),
            more=self._size,
        )

    def _size(self) -> None:
        sizes = {str(most): f"{most:,} MB, unpacked" for most in SIZES}
        Select("The most that it may hold", sizes, str(MEGABYTES), self._sized, "What has no room is named in it.")

    def _sized(self, megabytes: str) -> None:
        self._megabytes = int(megabytes)

    async def _make(self, key: str) -> None:
        request = SupportBundleRequest(project=self._contents.project, run=self._contents.of_run, megabytes=self._megabytes)
        queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=key))
        if isinstance(queued, StageError):
            problem(queued)
            return
        Text("h2", "A bundle is being made")
        follow(queued, self._ended)

    async def _ended(self, run: RunView) -> None:
        made = await attempt(partial(support_bundle, run.task_id)) if run.state == "succeeded" else None
        if self.on_made is not None:
            await self.on_made()
        self._confirm.panel.clear()  # last of all: what waits for the run's end stands in it
        with self._confirm.panel:
            if made is None:
                problem_document(run.problem or {})
            else:
                _made(run)
                hand_over(made)


def _made(run: RunView) -> None:
    """What it holds, what was taken out, and what had no room."""
    result = run.result or {}
    with box("p", "note", role="status"):
        Badge(Sign("done", f"{run.task_id} is made"))
        Text("span", f"{counted(result['files'], 'file')}, {file_size(result['size_bytes'])}", "figure")
    taken = ", ".join(f"{count:,} {plain(kind)}" for kind, count in result["redactions"].items())
    Text("p", f"Taken out: {taken or 'nothing'}.", "figure")
    for one in result["left_out"]:
        Text("p", f"Left out: {one['what']}: {one['why']}.", "muted")
    with box("p", "muted"):
        Text("span", "SHA-256 ")
        Text("span", result["sha256"], "mono")
