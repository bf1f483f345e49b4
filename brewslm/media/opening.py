"""Kept media files, opened for a model: the bytes are held against their hash each time."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brewslm.errors import StageError
from brewslm.media.clips import read_clip
from brewslm.media.facts import MediaKind, Unusable, format_of
from brewslm.media.finding import decoded
from brewslm.media.pictures import read_picture
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.rows.reasons import RowReason

if TYPE_CHECKING:
    from brewslm.media.clips import Samples


def opened_picture(file: Mapping[str, Any]) -> Any:
    """The picture, as Pillow's RGB.

    Args:
        file: With `path`, as PreparedData gives it, and `sha256` where it is to be held against it.

    Raises:
        StageError(ManifestMismatch): It is gone or changed since it was kept.
        Unusable: It is no picture that can be read.
    """
    content, name = _content(file, "image")
    return read_picture(content, name)


def opened_clip(file: Mapping[str, Any], rate: int) -> "Samples":
    """The recording as one channel at so many samples a second.

    Raises:
        StageError(ManifestMismatch): It is gone or changed since it was kept.
        Unusable: It is no recording that can be read.
    """
    content, name = _content(file, "audio")
    samples, _ = read_clip(content, name, rate)
    return samples


def _content(file: Mapping[str, Any], kind: MediaKind) -> tuple[bytes, str]:
    path, expected = str(file["path"]), file.get("sha256")
    try:
        held = decoded(path)
        content = Path(path).read_bytes() if held is None else held
    except OSError as error:
        if expected:
            raise _changed(path, expected, None) from error
        raise Unusable(RowReason.MEDIA_MISSING, str(error.strerror)) from None
    if expected and (found := hashlib.sha256(content).hexdigest()) != expected:
        raise _changed(path, expected, found)
    return content, format_of(content, kind)


def _changed(path: str, expected: str, found: str | None) -> StageError:
    name = Path(path).name
    reason = ManifestMismatch(manifest_version=0, file=name, expected_sha256=expected, found_sha256=found)
    return StageError(reason, where=name, cause="it is missing" if found is None else "its SHA-256 differs")
