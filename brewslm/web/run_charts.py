"""What a training run tells of itself at every step, drawn while it is trained: one look at its trace for all charts."""

import anyio

from brewslm.observe.trace import TracePage
from brewslm.web.loss_chart import read_on
from brewslm.web.parts import Text, box
from brewslm.web.step_chart import LOSS, Drawing, StepChart

SMALL = (
    Drawing("Gradient norm", "norm", {"grad_norm": ("step", "grad_norm")}, {"grad_norm": "gradient norm"}),
    Drawing(
        "Learning rate", "rate of a step", {"learning_rate": ("step", "learning_rate")}, {"learning_rate": "learning rate"},
        say="{:.3g}".format,
    ),
    Drawing(
        "Speed", "tokens a second", {"speed": ("step", "tokens_per_second")}, {"speed": "speed"}, say="{:,.0f} tok/s".format
    ),
    Drawing("Memory", "GB of the process", {"memory": ("step", "memory_bytes")}, {"memory": "memory"}, 2**30, "{:.1f} GB".format),
)  # fmt: skip


class RunCharts:
    """The charts.

    Args:
        page: The run's trace from the beginning.
    """

    def __init__(self, run_id: str, page: TracePage) -> None:
        self._run_id, self._next = run_id, page.next
        self._charts = [StepChart(run_id, LOSS, page)]
        with box("div", "chart-grid"):
            for drawing in SMALL:
                with box("div"):
                    Text("h3", drawing.title)
                    self._charts.append(StepChart(run_id, drawing, page, "chart chart-small"))

    async def look(self) -> None:
        """Draw what is new; only that is sent."""
        page, cut = await anyio.to_thread.run_sync(read_on, self._run_id, self._next)
        self._next = page.next
        for chart in self._charts:
            chart.show(page, cut)
