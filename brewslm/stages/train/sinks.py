"""The trace, told to TensorBoard or MLflow too: their files stand in the experiment's folder, for their own tools to show."""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from brewslm.errors import StageError, where_of
from brewslm.processes.context import ChildContext, Context
from brewslm.reasons.refusals import DependencyMissing
from brewslm.reasons.training import TraceSinkLost

SinkName = Literal["tensorboard", "mlflow"]
_MODULES: dict[SinkName, tuple[str, ...]] = {"tensorboard": ("tensorboard",), "mlflow": ("mlflow",)}


class Sink(Protocol):
    """Takes figures; the trace stays what counts."""

    def figures(self, step: int, figures: dict[str, float]) -> None:
        """Those of one step."""

    def close(self) -> None:
        """Write what still waits."""


def must_be_there(name: SinkName) -> None:
    """Whether the sink's own library is installed.

    Raises:
        StageError(DependencyMissing): It is not; the error says how to get it.
    """
    for module in _MODULES[name]:
        if find_spec(module) is None:
            cause, command = f"{module} is not installed", f"pip install 'brewslm[{name}]'"
            raise StageError(DependencyMissing(), f"The trace can't be written for {name}", cause=cause, next_step=command)


@contextmanager
def open_sink(name: SinkName | None, folder: Path, experiment_id: str, from_step: int, context: Context) -> Iterator[None]:
    """Tell the sink every line of the trace that is written in the block; without a sink nothing is done.

    Args:
        folder: Of the experiment: the sink's files are put in a folder of its name there.
        from_step: What was trained so far: what an earlier attempt told beyond it no longer holds.
    """
    if name is None or not isinstance(context, ChildContext):
        yield
        return
    made: dict[SinkName, Callable[[Path, str, int], Sink]] = {"tensorboard": TensorBoard, "mlflow": MlFlow}
    told = ToldOnce(made[name](folder / name, experiment_id, from_step), name, experiment_id, context)
    context.listen(told.line)
    try:
        yield
    finally:
        told.close()


class ToldOnce:
    """A sink that may fail: it is then told of, once, and left alone. Training does not end for it."""

    def __init__(self, sink: Sink, name: SinkName, experiment_id: str, context: Context) -> None:
        self._sink: Sink | None = sink
        self._name, self._experiment, self._context = name, experiment_id, context

    def line(self, kind: str, fields: dict[str, Any]) -> None:
        """One line of the trace: the numbers of a step, or of a measurement."""
        if kind in ("step", "eval"):
            numbers = {name: float(value) for name, value in fields.items() if isinstance(value, int | float)}
            self._try(lambda sink: sink.figures(fields["step"], {k: v for k, v in numbers.items() if k != "step"}))

    def close(self) -> None:
        """Nothing is told any more."""
        self._try(lambda sink: sink.close())
        self._sink = None

    def _try(self, tell: Callable[[Sink], None]) -> None:
        if self._sink is None:
            return
        try:
            tell(self._sink)
        except Exception as error:  # noqa: BLE001 - another tool's library: whatever it raises must not end a training run
            traceback.print_exc()
            self._sink = None
            self._context.tell(TraceSinkLost(experiment_id=self._experiment, sink=self._name, error=where_of(error)))


class TensorBoard:
    """`tensorboard --logdir experiments/exp-1/tensorboard` shows it."""

    def __init__(self, folder: Path, experiment_id: str, from_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder), purge_step=from_step + 1 if from_step else None)

    def figures(self, step: int, figures: dict[str, float]) -> None:
        """As scalars."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush."""
        self._writer.close()


def store_address(folder: Path) -> str:
    """Of MLflow's own database: its plain files are no longer supported."""
    return f"sqlite:///{folder.absolute() / 'mlflow.db'}"


class MlFlow:
    """`mlflow ui --backend-store-uri sqlite:///…/exp-1/mlflow/mlflow.db` shows it. Each attempt is one of MLflow's runs."""

    def __init__(self, folder: Path, experiment_id: str, from_step: int) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers of each use
        from mlflow.tracking import MlflowClient

        folder.mkdir(parents=True, exist_ok=True)
        self._client: Any = MlflowClient(tracking_uri=store_address(folder))
        known = self._client.get_experiment_by_name(experiment_id)
        place = known.experiment_id if known else self._client.create_experiment(experiment_id)
        self._run: str = self._client.create_run(place, run_name=f"{experiment_id} from step {from_step}").info.run_id

    def figures(self, step: int, figures: dict[str, float]) -> None:
        """As metrics, in one write."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._run, [Metric(name, value, now, step) for name, value in figures.items()])

    def close(self) -> None:
        """Say that it ended."""
        self._client.set_terminated(self._run)
