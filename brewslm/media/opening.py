"""Kept media files, opened for a model: the bytes are held against their hash each time."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brewslm.media.clips import read_clip
from brewslm.media.facts import MediaKind, Unusable, format_of
from brewslm.media.pictures import read_picture
from brewslm.rows.reasons import RowReason

if TYPE_CHECKING:
    from brewslm.media.clips import Samples


class MediaChanged(Exception):
    """A kept file is gone, or is not what its row says."""

    def __init__(self, path: str, expected_sha256: str, found_sha256: str | None) -> None:
        super().__init__(path)
        self.path, self.expected_sha256, self.found_sha256 = path, expected_sha256, found_sha256


def opened_picture(file: Mapping[str, Any]) -> Any:
    """The picture, as Pillow's RGB.

    Args:
        file: With `path`, as PreparedData gives it, and `sha256` where it is to be held against it.

    Raises:
        MediaChanged: It is gone or changed.
        Unusable: It is no picture that can be read.
    """
    content, name = _content(file, "image")
    return read_picture(content, name)


def opened_clip(file: Mapping[str, Any], rate: int) -> "Samples":
    """The recording as one channel at so many samples a second.

    Raises:
        MediaChanged: It is gone or changed.
        Unusable: It is no recording that can be read.
    """
    content, name = _content(file, "audio")
    samples, _ = read_clip(content, name, rate)
    return samples


def _content(file: Mapping[str, Any], kind: MediaKind) -> tuple[bytes, str]:
    path, expected = Path(file["path"]), file.get("sha256")
    try:
        content = path.read_bytes()
    except OSError as error:
        if expected:
            raise MediaChanged(file["path"], expected, None) from error
        raise Unusable(RowReason.MEDIA_MISSING, str(error.strerror)) from None
    if expected and (found := hashlib.sha256(content).hexdigest()) != expected:
        raise MediaChanged(file["path"], expected, found)
    return content, format_of(content, kind)
