"""Plugins by entry point: loaded at the first look, once a process; a broken one is a warning in the stream, never a crash.

Below the rooms that can be extended: each of them says what a plugin of its own must be.
"""

import inspect
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from brewslm.reasons.system import ExtensionLoadFailed

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_+.-]*")
_MOST_WORDS = 200

BROKEN: list[ExtensionLoadFailed] = []
"""What could not be loaded in this process so far, for a view."""
_untold: list[ExtensionLoadFailed] = []
_extensible: "list[Extensible[Any]]" = []
_telling = threading.Lock()


class Extensible(Mapping[str, T], Generic[T]):
    """What is built in by name, and from the first look on what plugins add. A built-in one is found without a look at them.

    Args:
        group: The entry points' group.
        built_in: They keep their names.
        base: A plugin must be a class of this kind.
        key: The class attribute that is its name.
        needs: Class attributes that it must have, with their types.
        make: From the class to what is found by its name.
    """

    def __init__(
        self, group: str, built_in: Mapping[str, T], base: type, key: str, needs: Mapping[str, type], make: Callable[[Any], T]
    ) -> None:
        self._group, self._built_in, self._base, self._key, self._needs, self._make = group, built_in, base, key, needs, make
        self._plugins: dict[str, T] | None = None
        self._lock = threading.Lock()
        _extensible.append(self)

    def plugins(self) -> dict[str, T]:
        """Those of plugins alone."""
        with self._lock:
            if self._plugins is None:
                self._plugins = {}
                for point in sorted(entry_points(group=self._group), key=_spelled):
                    self._add(point)
            return self._plugins

    def _add(self, point: EntryPoint) -> None:
        assert self._plugins is not None
        try:
            name, found = self._loaded(point)
            if name in self._built_in or name in self._plugins:
                raise TypeError(f"the {self._key} {name} is taken")
            self._plugins[name] = found
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the plugin loader: whatever a plugin does, the rest works
            words = f"{type(error).__name__}: {error}"[:_MOST_WORDS]
            failed = ExtensionLoadFailed(entry_point=_spelled(point), error=words)
            BROKEN.append(failed)
            _untold.append(failed)

    def _loaded(self, point: EntryPoint) -> tuple[str, T]:
        found = point.load()
        if not (inspect.isclass(found) and issubclass(found, self._base)):
            raise TypeError(f"it is no subclass of {self._base.__name__}")
        if inspect.isabstract(found):
            raise TypeError(f"it lacks {', '.join(sorted(vars(found)['__abstractmethods__']))}")
        for attribute, kind in self._needs.items():
            if not isinstance(getattr(found, attribute, None), kind):
                raise TypeError(f"its {attribute} is no {kind.__name__}")
        name = getattr(found, self._key)
        if not _NAME.fullmatch(name):
            raise TypeError(f"its {self._key} is not of the form {_NAME.pattern}")
        return name, self._make(found)

    def __getitem__(self, name: str) -> T:
        return self._built_in[name] if name in self._built_in else self.plugins()[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._built_in
        yield from self.plugins()

    def __len__(self) -> int:
        return len(self._built_in) + len(self.plugins())


def _spelled(point: EntryPoint) -> str:
    dist = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"{point.group}: {point.name} = {point.value}{dist}"


def broken(group: str) -> list[ExtensionLoadFailed]:
    """The plugins of a group that could not be loaded, by now."""
    return [failed for failed in BROKEN if failed.entry_point.startswith(f"{group}: ")]


def emit_broken(actor: str) -> None:
    """Load all plugins, and emit an event for each that is broken and that this process has not told of yet.

    `execute` calls it when it opens an operation of the stages that plugins extend, so that a broken plugin is told of although
    nobody asked for it. It is not emitted where it is loaded: that may be in a view, which writes nothing, or in a child process,
    which never opens the database.
    """
    from brewslm.audit import emit_event

    for each in _extensible:
        each.plugins()
    with _telling:
        told = list(_untold)
        _untold.clear()
    for failed in told:
        emit_event(failed, project_id=None, actor=actor)
