"""The loss of one training run, drawn while it is trained."""

import anyio

from brewslm.observe.trace import TracePage, trace
from brewslm.web.step_chart import LOSS, StepChart


class LossChart(StepChart):
    """The chart; `look` asks for what was added to the trace since the last look.

    Args:
        run_id: The experiment.
        page: Its trace from the beginning.
    """

    def __init__(self, run_id: str, page: TracePage) -> None:
        super().__init__(run_id, LOSS, page)
        self._next = page.next

    async def look(self) -> None:
        """Draw what is new."""
        page, cut = await anyio.to_thread.run_sync(read_on, self.run_id, self._next)
        self._next = page.next
        self.show(page, cut)


def read_on(run_id: str, after: int) -> tuple[TracePage, bool]:
    """What was added to a trace, and False; or all of it, and True, where the run was resumed from a checkpoint meanwhile."""
    page = trace(run_id, after)
    return (page, False) if page.next >= after else (trace(run_id, 0), True)
