"""How a job speaks to whoever runs it: progress, told reasons, and whether it should stop."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson

from brewslm.reasons import Reason

T = TypeVar("T")


class Cancelled(Exception):
    """A person asked the run to stop."""


class Paused(Exception):
    """A person asked the run to wait; it kept all it had done, and goes on when it is resumed."""


PAUSE = "pause"
"""The file in a run's folder that asks for that."""


class Context(Protocol):
    """What `run(job, context)` gets beside its job."""

    @property
    def folder(self) -> Path:
        """The run's folder, for what belongs to the run alone."""

    @property
    def attempt(self) -> int:
        """How often the run has been begun, this time too."""

    def progress(self, done: int, total: int | None, unit: str, **figures: float) -> None:
        """Say how far the work is; figures are shown beside it (loss, tokens_per_second)."""

    def tell(self, reason: Reason) -> None:
        """Have an event written while the work goes on."""

    def check(self) -> None:
        """Raise `Cancelled` when the run should stop."""

    def pause_asked(self) -> bool:
        """Whether the run should keep what it has and raise `Paused`."""

    def track(self, items: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        """The items, with progress and a check now and then."""


class BaseContext:
    """The parts that every context shares; `progress` is called at most five times a second by `track`."""

    def __init__(self, folder: Path, attempt: int = 1) -> None:
        self._folder, self._attempt = folder, attempt

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self._folder

    @property
    def attempt(self) -> int:
        """As the parent counts it."""
        return self._attempt

    def progress(self, done: int, total: int | None, unit: str, **figures: float) -> None:
        """Overridden by who shows progress."""

    def tell(self, reason: Reason) -> None:
        """Overridden by who may emit."""

    def check(self) -> None:
        """Overridden by who can be cancelled."""

    def pause_asked(self) -> bool:
        """Whether somebody put the file there."""
        return (self._folder / PAUSE).exists()

    def track(self, items: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        """The items, with progress and a check a few times a second."""
        shown, done = 0.0, 0
        for done, item in enumerate(items, 1):
            yield item
            if time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                self.check()
                self.progress(done, total, unit)
        self.progress(done, total, unit)


class DirectContext(BaseContext):
    """For a job that runs in this process.

    Args:
        on_progress: Gets (done, total, unit, figures).
        on_reason: Emits.
        cancelled: Whether somebody asked to stop.
    """

    def __init__(
        self,
        folder: Path,
        on_progress: Callable[[int, int | None, str, dict[str, float]], None] | None = None,
        on_reason: Callable[[Reason], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(folder)
        self._on_progress, self._on_reason, self._cancelled = on_progress, on_reason, cancelled

    def progress(self, done: int, total: int | None, unit: str, **figures: float) -> None:
        """Pass it on."""
        if self._on_progress:
            self._on_progress(done, total, unit, figures)

    def tell(self, reason: Reason) -> None:
        """Pass it on."""
        if self._on_reason:
            self._on_reason(reason)

    def check(self) -> None:
        """Ask whether to stop."""
        if self._cancelled and self._cancelled():
            raise Cancelled


class ChildContext(BaseContext):
    """For a job in a child process: every word is a line of `trace.jsonl`, which the parent reads. The child opens no database.

    A cancelled child gets a signal, so `check` has nothing to do here.
    """

    def __init__(self, folder: Path, attempt: int = 1) -> None:
        super().__init__(folder, attempt)
        self._trace = (folder / "trace.jsonl").open("ab", buffering=0)
        self._listeners: list[Callable[[str, dict[str, Any]], None]] = []

    def listen(self, on_line: Callable[[str, dict[str, Any]], None]) -> None:
        """Tell each line from now on to somebody here too: its kind and its fields."""
        self._listeners.append(on_line)

    def progress(self, done: int, total: int | None, unit: str, **figures: float) -> None:
        """One trace line."""
        self.trace("progress", done=done, total=total, unit=unit, figures=figures)

    def tell(self, reason: Reason) -> None:
        """One trace line."""
        self.trace("reason", code=reason.code, payload=reason.payload())

    def trace(self, line_kind: str, **fields: Any) -> None:
        """Append one line of any kind, such as a training step."""
        self._trace.write(
            orjson.dumps(
                {"kind": line_kind, "ts": time.time(), **fields}, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
            )
        )
        for on_line in self._listeners:
            on_line(line_kind, fields)
