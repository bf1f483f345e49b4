"""Model servers that somebody tries at this moment: kept while they are asked, and ended when nobody does."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from brewslm.serving.endpoints import Endpoint
from brewslm.serving.model_server import ModelServerFailed, temporary_log
from brewslm.serving.targets import Servable, Server, target_of

IDLE_SECONDS = 600.0
"""One that was not asked for so long is ended."""
MOST = 2
"""At a time: two are held against each other, and each takes a model's memory."""


@dataclass
class _Tried:
    server: Server
    used: float


@dataclass
class Tryouts:
    """Servers by name. They die with this process, however it dies."""

    clock: Callable[[], float] = time.monotonic
    _tried: dict[str, _Tried] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, name: str, servable: Servable) -> None:
        """Begin to start one, unless it is there; the one that was asked least lately gives way to it. Returns at once.

        Raises:
            ModelServerFailed: It can't be started.
        """
        with self._lock:
            known = self._tried.get(name)
            if known is not None and known.server.returncode is None:
                known.used = self.clock()
                return
            self._drop(name)
            while len(self._tried) >= MOST:
                self._drop(min(self._tried, key=lambda one: self._tried[one].used))
            self._tried[name] = _Tried(target_of(servable.target).start(servable, temporary_log()), self.clock())
        self._look_later()

    def endpoint(self, name: str) -> Endpoint | None:
        """Where it answers; None where it was not started, or is not ready yet.

        Raises:
            ModelServerFailed: It ended by itself.
        """
        with self._lock:
            one = self._tried.get(name)
        return one.server.endpoint() if one else None

    def is_starting(self, name: str) -> bool:
        """Whether it was started, and is not ready yet."""
        try:
            return name in self._tried and self.endpoint(name) is None
        except ModelServerFailed:
            return False

    def used(self, name: str) -> None:
        """It is asked now."""
        with self._lock:
            if name in self._tried:
                self._tried[name].used = self.clock()

    def sweep(self) -> None:
        """End those that nobody has asked for a while; look again later for the others."""
        with self._lock:
            for name in [name for name, one in self._tried.items() if self.clock() - one.used >= IDLE_SECONDS]:
                self._drop(name)
            left = bool(self._tried)
        if left:
            self._look_later()

    def stop(self) -> None:
        """End them all."""
        with self._lock:
            for name in list(self._tried):
                self._drop(name)

    def _look_later(self) -> None:
        timer = threading.Timer(IDLE_SECONDS / 2, self.sweep)
        timer.daemon = True
        timer.start()

    def _drop(self, name: str) -> None:
        one = self._tried.pop(name, None)
        if one is not None:
            one.server.stop()


TRYOUTS = Tryouts()
"""Of this process."""
