"""Pictures, decoded by Pillow within limits."""

import io
import struct
import warnings
import zlib
from typing import Any

from brewslm.media.facts import Unusable
from brewslm.rows.reasons import RowReason
from brewslm.settings import settings

_PILLOW = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF"}
_PNG_END = 4096
"""Bytes in which the last chunk must stand: some programs write notes of their own behind it."""
_DECODERS_RAISE = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError,
    struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's decoders were seen to raise on broken files: it has no class of its own for them."""


def read_picture(content: bytes, name: str) -> Any:
    """The first frame as an RGB picture of Pillow's, turned as its camera says; what is transparent shows white.

    Args:
        name: Its format, one of FORMATS["image"].

    Raises:
        Unusable(MEDIA_CORRUPT): It is broken or cut off.
        Unusable(MEDIA_TOO_LARGE): It has more pixels than BREWSLM_MEDIA_PIXELS.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if name == "png" and b"IEND" not in content[-_PNG_END:]:  # Pillow does without, where the pixels before it are all there
        raise Unusable(RowReason.MEDIA_CORRUPT, "it is cut off: its end is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata; that a picture is large is measured below
            picture = Image.open(io.BytesIO(content), formats=(_PILLOW[name],))
            _check_size(*picture.size)
            picture.load()
            return _flat(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError as error:
        raise Unusable(RowReason.MEDIA_TOO_LARGE, str(error)) from None
    except UnidentifiedImageError:
        raise Unusable(RowReason.MEDIA_CORRUPT, "its header can't be read") from None
    except _DECODERS_RAISE as error:
        raise Unusable(RowReason.MEDIA_CORRUPT, f"{type(error).__name__}: {error}"[:200]) from None


def picture_facts(content: bytes, name: str) -> dict[str, Any]:
    """Width and height in pixels, as the picture is seen.

    Raises:
        Unusable: As `read_picture`.
    """
    width, height = read_picture(content, name).size
    return {"width": width, "height": height}


def _check_size(width: int, height: int) -> None:
    most = settings().media_pixels
    if width * height > most:
        raise Unusable(RowReason.MEDIA_TOO_LARGE, f"it has {width:,} × {height:,} pixels; at most {most:,} are read")


def _flat(picture: Any) -> Any:
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")
