"""Packed files (.gz, .zst), unpacked in pieces into the cache, never beyond a cap."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceTooLarge, SourceUnreadable
from brewslm.settings import settings
from brewslm.sources.textfile import GZIP, ZSTANDARD
from brewslm.store.files import sha256
from brewslm.store.locks import lock

MOST_RATIO = 200
"""JSON lines pack to a tenth, seldom to a fiftieth; a bomb packs to a thousandth and less."""
RATIO_FROM = 64 * 1024 * 1024
"""Up to this size anything may pack as well as it likes."""
_PIECE_BYTES = 1024 * 1024
_PACKED_PIECE_BYTES = 1024
"""Of zstd: 4 bytes may stand for 128 KB, so that one such piece unpacks to 32 MB at most."""
_WINDOW_BYTES = 128 * 1024 * 1024


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so can be unpacked."""
    return head.startswith((GZIP, ZSTANDARD))


def unpacked(path: Path) -> Path:
    """The content of a packed file, in the cache, under its name without .gz or .zst.

    Raises:
        StageError(SourceTooLarge): It unpacks to more than BREWSLM_UNPACK_BYTES, or over 200-fold.
        StageError(SourceUnreadable): It is damaged or cut off.
    """
    name = path.stem if path.suffix.lower() in (".gz", ".zst") else path.name
    target = settings().cache / "unpacked" / sha256(path)[:32] / name
    with lock(target.parent.with_suffix(".lock")):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _unpack(path, target)
    return target


def _unpack(path: Path, target: Path) -> None:
    most = min(settings().unpack_bytes, max(RATIO_FROM, MOST_RATIO * path.stat().st_size))
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".unpack.", delete=False) as file:
        try:
            for piece in _pieces(path):
                if file.tell() + len(piece) > most:
                    packed = path.stat().st_size
                    cause = f"its {packed:,} bytes unpack to over {most:,}"
                    next_step = "If that is right, unpack it yourself and name the result."
                    raise StageError(SourceTooLarge(), where=str(path), cause=cause, next_step=next_step)
                file.write(piece)
            Path(file.name).replace(target)  # made anew when it is not whole: no fsync is needed
        except (EOFError, OSError, zlib.error) as error:
            Path(file.name).unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno is not None:  # the disk, not the content
                raise
            raise StageError(SourceUnreadable(), where=str(path), cause=f"it can't be unpacked: {error}") from error
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
    return _gzip_pieces(path) if is_gzip else _zstandard_pieces(path)


def _gzip_pieces(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _zstandard_pieces(path: Path) -> Iterator[bytes]:
    """Frame after frame. The library's own stream reader takes a file that is cut off for one that has ended."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    frame = decompressor.decompressobj()
    is_open = False
    try:
        with path.open("rb") as file:
            while packed := file.read(_PACKED_PIECE_BYTES):
                while packed:
                    is_open = True
                    yield frame.decompress(packed)
                    if not frame.eof:
                        break
                    packed, is_open, frame = frame.unused_data, False, decompressor.decompressobj()
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    if is_open:
        raise EOFError("it ends within a frame")
