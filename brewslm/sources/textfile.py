"""What every connector of local text files checks first."""

import re
from pathlib import Path

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceBinary, SourceEmpty, SourceIsDirectory, SourceNotFound

_HEAD_BYTES = 8192
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
_UNREADABLE_SHARE = 0.3


def text_file(reference: str) -> Path:
    """The file that a locator names.

    Raises:
        StageError(SourceNotFound, SourceIsDirectory, SourceEmpty, SourceBinary): It is not a text file with content.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        raise StageError(SourceIsDirectory(), where=str(path))
    if not path.is_file():
        cause = "it is not a regular file" if path.exists() else "no such file"
        raise StageError(SourceNotFound(), where=str(path), cause=cause)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except PermissionError as error:
        raise StageError(SourceNotFound(), where=str(path), cause="you may not read it") from error
    if not head:
        raise StageError(SourceEmpty(), where=str(path), cause="it has 0 bytes")
    if (sign := looks_binary(head)) is not None:
        raise StageError(SourceBinary(), where=str(path), cause=sign)
    return path


def looks_binary(head: bytes) -> str | None:
    """Why the beginning of a file is no text, or None when it is."""
    if b"\x00" in head:
        return f"it has a zero byte at offset {head.index(0)}"
    text = head.decode("utf-8", errors="replace")
    share = len(_UNREADABLE.findall(text)) / len(text)
    return f"{share:.0%} of its first characters can't be read as UTF-8" if share > _UNREADABLE_SHARE else None
