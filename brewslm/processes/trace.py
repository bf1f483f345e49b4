"""Reading a child's trace while it grows."""

import time
from pathlib import Path
from typing import Any, BinaryIO

import orjson


class TraceReader:
    """Reads the whole lines that were added to a trace since the last look; a torn last line waits until it is whole.

    Args:
        from_end: Only lines that are written from now on. A resumed run cuts its trace back to its checkpoint, and may have
            written on before the next look: then the trace is read again from its beginning, and lines are told by their time.
        offset: Where to begin, a former reader's `offset`; a trace that is shorter by now is read from its end.
    """

    def __init__(self, path: Path, from_end: bool = False, offset: int = 0) -> None:
        self._path = path
        self._seen = time.time() if from_end else None
        self.offset = path.stat().st_size if from_end and path.exists() else offset

    def read(self) -> list[dict[str, Any]]:
        """The new lines."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            again = self._was_cut(file)
            if again:
                self.offset = self._path.stat().st_size if self._seen is None else 0
            file.seek(self.offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        lines = [orjson.loads(line) for line in whole.splitlines()]
        if self._seen is not None:
            lines = [line for line in lines if line["ts"] > self._seen] if again else lines
            self._seen = max(self._seen, *(line["ts"] for line in lines), self._seen)
        return lines

    def _was_cut(self, file: BinaryIO) -> bool:
        """What stands before the place that was reached must be the end of a line."""
        if not self.offset:
            return False
        file.seek(self.offset - 1)
        return file.read(1) != b"\n"


def read_trace(path: Path, line_kind: str | None = None) -> list[dict[str, Any]]:
    """All whole lines of a trace, or those of one kind."""
    return [line for line in TraceReader(path).read() if line_kind is None or line["kind"] == line_kind]
