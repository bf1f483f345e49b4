"""Reading a child's trace while it grows."""

from pathlib import Path
from typing import Any

import orjson


class TraceReader:
    """Reads the whole lines that were added to a trace since the last look; a torn last line waits until it is whole."""

    def __init__(self, path: Path, from_end: bool = False) -> None:
        self._path = path
        self._offset = path.stat().st_size if from_end and path.exists() else 0

    def read(self) -> list[dict[str, Any]]:
        """The new lines."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            if self._offset > self._path.stat().st_size:  # a resumed run cut its trace back to its checkpoint
                self._offset = self._path.stat().st_size
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [orjson.loads(line) for line in whole.splitlines()]


def read_trace(path: Path, line_kind: str | None = None) -> list[dict[str, Any]]:
    """All whole lines of a trace, or those of one kind."""
    return [line for line in TraceReader(path).read() if line_kind is None or line["kind"] == line_kind]
