"""Reading a document within bounds of time and memory, whatever it was made to do.

Each that is parsed is read in a process of its own, forked for it. A signal in this process would not do: a parser that loops in
C never comes back to a handler (a web page of 3 MB does that for minutes), a library that catches everything swallows what the
handler raises, and a crash in C would take the batch along.
"""

import faulthandler
import logging
import os
import resource
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import orjson
import psutil

from brewslm.readers import reader_for
from brewslm.readers.base import Reader, ReadText, Unreadable
from brewslm.rows.reasons import RowReason

_PIPE_BYTES = 1024 * 1024
_CLOCK_PER_PROCESSOR = 3
"""So much longer a document may wait for its turn on a busy machine."""
_BY_SIGNAL = {
    signal.SIGPROF: RowReason.DOCUMENT_TOO_SLOW,
    signal.SIGALRM: RowReason.DOCUMENT_TOO_SLOW,
    signal.SIGKILL: RowReason.DOCUMENT_TOO_LARGE,
}
"""SIGKILL comes from the kernel, when the machine's memory is at its end. Any other is a crash in a library's C code."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What one document may take.

    Attributes:
        seconds: Of the processor, so that what else the machine does can't reject a document; of the clock, three times as many.
        memory_bytes: Address space beyond what the process has when the document comes.
        file_bytes: Of the file itself.
    """

    seconds: float = 20.0
    memory_bytes: int = 1024**3
    file_bytes: int = 128 * 1024**2


def read_bounded(path: Path, media_type: str, limits: ReadLimits = ReadLimits()) -> ReadText:
    """A document's text, within limits. What this process may and how it takes signals stays as it is.

    Raises:
        Unreadable: It gives no text, or takes too much.
        OSError: The disk failed, or no process can be made; neither says anything about the document.
    """
    reader = reader_for(media_type)
    if path.stat().st_size > limits.file_bytes:
        raise Unreadable(RowReason.DOCUMENT_TOO_LARGE)
    content = path.read_bytes()
    if not reader.parses:
        return reader.read_content(content)
    for library in reader.libraries:
        import_module(library)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _read_and_exit(reader, content, limits, write_end)
    os.close(write_end)
    said, status = _ended(child, read_end)
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        raise Unreadable(_BY_SIGNAL.get(number, RowReason.DOCUMENT_CORRUPT), number.name)
    answer = orjson.loads(said) if status == 0 else {"reason": RowReason.DOCUMENT_TOO_LARGE.name, "detail": "MemoryError"}
    if "reason" in answer:
        raise Unreadable(RowReason[answer["reason"]], answer["detail"])
    return ReadText(**answer | {"page_starts": tuple(answer["page_starts"])})


def _ended(child: int, read_end: int) -> tuple[bytes, int]:
    """All that the child says, and its exit status. It is ended when this process is interrupted."""
    try:
        with os.fdopen(read_end, "rb", buffering=_PIPE_BYTES) as pipe:
            said = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return said, os.waitpid(child, 0)[1]


def _read_and_exit(reader: Reader, content: bytes, limits: ReadLimits, write_end: int) -> NoReturn:
    """The child's whole life: nothing of what the parent has open may be closed or flushed by it."""
    status = 1
    try:
        _bind(limits)
        answer = orjson.dumps(_answer(reader, content))
        with os.fdopen(write_end, "wb", buffering=_PIPE_BYTES) as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)


def _bind(limits: ReadLimits) -> None:
    """Let the kernel end this process when its time is up, and give it no more memory than that."""
    logging.disable()  # libraries quote the document
    faulthandler.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    ends = (signal.SIGPROF, signal.SIGALRM, signal.SIGTERM, signal.SIGINT)
    for number in ends:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds * _CLOCK_PER_PROCESSOR)
    with suppress(ValueError, OSError):  # a system without this limit; the others hold
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + limits.memory_bytes, most))


def _answer(reader: Reader, content: bytes) -> dict[str, Any]:
    try:
        return asdict(reader.read_content(content))
    except Unreadable as refused:
        return {"reason": refused.reason.name, "detail": refused.detail}
