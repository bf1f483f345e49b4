"""The run's files while documents are cleaned: they grow, document by document, and are cut back after a kill."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from brewslm.filters.duplicates import ExactDuplicates, NearDuplicates
from brewslm.filters.preset import NearDuplicatePreset
from brewslm.stages.clean.report import Cleaned, DocumentReport
from brewslm.store.files import write_all

CHUNKS = "chunks.jsonl"
_REPORTS, _BOOT = "reports.jsonl", "boot"


def reports(folder: Path) -> Iterator[DocumentReport]:
    """The reports of all documents that are done, in order, read as they are asked for."""
    with (folder / _REPORTS).open("rb") as lines:
        for line in lines:
            yield DocumentReport.model_validate(orjson.loads(line)["report"])


class Workplace:
    """Texts, chunks, reports, and what duplicates are found by.

    A document is done when the line of its report is whole. All else of it is written before, and the line says how long
    chunks.jsonl is by then, so a repeated run cuts every file back to the last line and goes on: with the same documents it
    leaves the same bytes. What was written survives the death of the process, not that of the machine: after a new boot all is
    begun anew.

    Args:
        folder: Of the run's own, for this alone.

    Attributes:
        cleaned: The folder that becomes the project's.
        done: The id of the last document that is done; 0 when none is.
    """

    def __init__(self, folder: Path, preset: NearDuplicatePreset) -> None:
        self.folder, self.cleaned = folder, folder / "cleaned"
        if folder.exists() and (not (folder / _BOOT).exists() or (folder / _BOOT).read_text() != _boot()):
            shutil.rmtree(folder)
        self.cleaned.mkdir(parents=True, exist_ok=True)
        (folder / _BOOT).write_text(_boot())
        self.done, chunk_bytes = self._cut_reports()
        self._reports = (folder / _REPORTS).open("ab", buffering=0)
        self._chunks = (self.cleaned / CHUNKS).open("ab", buffering=0)
        self._chunks.truncate(chunk_bytes)
        self._chunk_bytes = chunk_bytes
        self.exact = ExactDuplicates(folder / "exact.sqlite")
        self.near = NearDuplicates(folder / "near.sqlite", self.text_of, preset)
        for remembered in (self.exact, self.near):
            remembered.forget_after(self.done)

    def _cut_reports(self) -> tuple[int, int]:
        """Cut off a torn last line; what the last whole one says: the document, and the bytes of chunks."""
        path, last, end = self.folder / _REPORTS, b"", 0
        if path.exists():
            with path.open("r+b") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        last, end = line, end + len(line)
                file.truncate(end)
        said: dict[str, Any] = orjson.loads(last) if last else {"report": {"document": 0}, "chunk_bytes": 0}
        return said["report"]["document"], said["chunk_bytes"]

    def text_of(self, document: int) -> str:
        """The cleaned text of a document that was kept."""
        return (self.cleaned / f"{document}.txt").read_bytes().decode()

    def finish(self, made: Cleaned) -> None:
        """Write down all of one document, its report last."""
        number = made.report.document
        for name, text in ((f"{number}.txt", made.text or None), (f"{number}.source.txt", made.source)):
            path = self.cleaned / name
            if text is not None:
                path.write_bytes(text.encode())
            else:  # a killed run may have left one
                path.unlink(missing_ok=True)
        chunk_lines = b"".join(made.chunk_lines)
        write_all(self._chunks, chunk_lines)
        self._chunk_bytes += len(chunk_lines)
        self.exact.commit()
        self.near.commit()
        line = {"report": made.report.model_dump(mode="json"), "chunk_bytes": self._chunk_bytes}
        write_all(self._reports, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self.done = number

    def complete(self) -> None:
        """All documents are done: what only finds duplicates goes, and the rest is made durable."""
        self._close()
        for path in (*self.folder.glob("exact.sqlite*"), *self.folder.glob("near.sqlite*")):
            path.unlink()
        os.sync()  # one call; an fsync of each of some ten thousand files takes minutes

    def _close(self) -> None:
        self._reports.close()
        self._chunks.close()
        self.exact.close()
        self.near.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._close()


def _boot() -> str:
    """Which start of the machine this is (Linux); "" where there is nothing that says it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return ""
