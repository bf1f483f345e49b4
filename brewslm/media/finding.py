"""From what stands in a row to a media file's bytes."""

import base64
import binascii
import errno
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from brewslm.media.facts import Unusable
from brewslm.rows.reasons import RowReason
from brewslm.settings import settings

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_DATA = re.compile(r"data:[^,]{0,200};base64,")
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


def content_of(named: str, folder: Path | None) -> bytes:
    """The bytes of the file that a row names: by a path beside its source, or as a `data:` address that holds them.

    Args:
        folder: That of the row's source; None where the source is no local file.

    Raises:
        Unusable(MEDIA_ADDRESS): It is an address on a network: nothing is fetched for a row.
        Unusable(MEDIA_OUTSIDE): The path, or a link on the way, leads out of the folders that may be read.
        Unusable(MEDIA_MISSING): There is no such file, or it may not be read.
        Unusable(MEDIA_TOO_LARGE): It has more bytes than BREWSLM_MEDIA_BYTES.
        Unusable(MEDIA_CORRUPT): It is empty, or a data: address that is not whole.
    """
    if found := _DATA.match(named):
        content = _decoded(named[found.end() :])
    elif _ADDRESS.match(named):
        raise Unusable(RowReason.MEDIA_ADDRESS, "it is an address, not a file")
    else:
        content = _read(_confined(named, folder))
    if not content:
        raise Unusable(RowReason.MEDIA_CORRUPT, "it has 0 bytes")
    return content


def _decoded(text: str) -> bytes:
    _check_bytes(len(text) * 3 // 4 - 2)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unusable(RowReason.MEDIA_CORRUPT, f"its data: address is not whole: {error}"[:200]) from None


def _confined(named: str, folder: Path | None) -> Path:
    roots: Sequence[Path] = [*([folder] if folder else []), *settings().media_folders]
    written = Path(named)
    if folder is None and not written.is_absolute():
        raise Unusable(RowReason.MEDIA_MISSING, "its source is no local file, so there is no folder to find it in")
    try:
        path = ((folder or Path()) / written).resolve()
        if not any(path.is_relative_to(root.resolve()) for root in roots):
            raise Unusable(RowReason.MEDIA_OUTSIDE, "it leads out of the source's folder")
    except (OSError, ValueError, RuntimeError) as error:  # a name that is too long, a zero byte, a loop of links
        raise Unusable(RowReason.MEDIA_MISSING, f"no file can be called so: {error}"[:200]) from None
    return path


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unusable(RowReason.MEDIA_MISSING, "it is not a regular file")
        _check_bytes(found.st_size)
        with path.open("rb") as file:
            content = file.read(settings().media_bytes + 1)
    except OSError as error:
        if error.errno in (*_NOT_THERE, errno.EACCES, errno.EPERM):
            raise Unusable(RowReason.MEDIA_MISSING, str(error.strerror)) from None
        raise
    _check_bytes(len(content))
    return content


def _check_bytes(size: int) -> None:
    most = settings().media_bytes
    if size > most:
        raise Unusable(RowReason.MEDIA_TOO_LARGE, f"it has {size:,} bytes; at most {most:,} are read")
