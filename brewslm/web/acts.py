"""An act of a page: a request is queued, its run is shown until it ends, then what came of it."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from brewslm.errors import StageError
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.contract import Request
from brewslm.web.doing import attempt, follow
from brewslm.web.parts import Text, box, link, problem, problem_document
from brewslm.web.projects import ACTOR

OnEnd = Callable[[RunView], object]


async def act(request: Request, key: str, on_success: OnEnd, afterwards: Callable[[], Awaitable[None]] | None = None) -> None:
    """Queue it, and show here what becomes of it: progress, then `on_success` or the problem in its four parts.

    Args:
        key: Idempotency: the same click is one run, however often it is sent.
        on_success: Draws what came of a run that ended well.
        afterwards: Called at its end, however it ended: what the page shows may be another now.
    """
    with box("div", "act") as outcome:
        pass
    queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=key))
    with outcome:
        if isinstance(queued, StageError):
            problem(queued)
        else:
            follow(queued, _ending(outcome, on_success, afterwards))


def _ending(
    outcome: ui.element, on_success: OnEnd, afterwards: Callable[[], Awaitable[None]] | None
) -> Callable[[RunView], Awaitable[None]]:
    async def ended(run: RunView) -> None:
        if afterwards is not None:
            await afterwards()  # before what follows the run is cleared away: nothing that is awaited after it is done any more
        outcome.clear()
        with outcome:
            if run.state == "succeeded":
                on_success(run)
            elif run.problem:
                problem_document(run.problem)
            else:
                with box("p", "", role="status"):
                    link(run.task_id, f"/projects/{run.project}/runs/{run.task_id}", "mono")
                    Text("span", f" was {run.state}.")

    return ended
