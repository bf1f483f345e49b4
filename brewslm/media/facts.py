"""What is known of a media file before it is decoded, and how it is refused."""

from typing import Any, Literal

from brewslm.rows.reasons import RowReason

MediaKind = Literal["image", "audio"]
_SIGNS: dict[MediaKind, tuple[tuple[bytes, int, str], ...]] = {
    "image": (
        (b"\x89PNG\r\n\x1a\n", 0, "png"),
        (b"\xff\xd8\xff", 0, "jpg"),
        (b"GIF87a", 0, "gif"),
        (b"GIF89a", 0, "gif"),
        (b"WEBP", 8, "webp"),
        (b"BM", 0, "bmp"),
        (b"II*\x00", 0, "tiff"),
        (b"MM\x00*", 0, "tiff"),
    ),
    "audio": (
        (b"WAVE", 8, "wav"),
        (b"fLaC", 0, "flac"),
        (b"OggS", 0, "ogg"),
        (b"ID3", 0, "mp3"),
        (b"\xff\xfb", 0, "mp3"),
        (b"\xff\xf3", 0, "mp3"),
        (b"\xff\xf2", 0, "mp3"),
    ),
}
FORMATS: dict[MediaKind, tuple[str, ...]] = {
    kind: tuple(dict.fromkeys(name for _, _, name in signs)) for kind, signs in _SIGNS.items()
}
"""What is read of each kind; a file's content says which it is, whatever its name."""


class Unusable(Exception):
    """A media file can't be taken; the detail names what was measured, and stays in the project."""

    def __init__(self, reason: RowReason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def format_of(content: bytes, kind: MediaKind) -> str:
    """The format that a file's first bytes show.

    Raises:
        Unusable(MEDIA_FORMAT): It is none that is read.
    """
    for sign, at, name in _SIGNS[kind]:
        if content[at : at + len(sign)] == sign:
            return name
    known = ", ".join(FORMATS[kind])
    raise Unusable(RowReason.MEDIA_FORMAT, f"it begins with {content[:4].hex(' ') or 'nothing'}, and none of {known} does")


def is_media(value: Any) -> bool:
    """Whether a payload's value is a kept media file, as MediaFolder.take gives it."""
    return isinstance(value, dict) and isinstance(value.get("path"), str) and isinstance(value.get("sha256"), str)
