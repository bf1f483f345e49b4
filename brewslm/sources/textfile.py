"""What every connector of local files checks first, and how the lines of a text are read."""

import codecs
import re
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceBinary, SourceEmpty, SourceIsDirectory, SourceNotFound
from brewslm.sources.base import HEAD_CHARACTERS, MAX_LINE_BYTES

HEAD_BYTES = 8192
READ_BYTES = 1024 * 1024
"""Of a file that is read to its end: with Python's own 8 KB a line of many megabytes is put together of thousands of pieces."""
GZIP, ZSTANDARD, PARQUET, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04"
_SIGNS = {GZIP: "it is packed with gzip", ZSTANDARD: "it is packed with zstd", PARQUET: "it is Parquet", ZIP: "it is a zip file"}
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
_UNREADABLE_SHARE = 0.3
_ENCODING_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024

_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_WESTERN = re.compile(rb"(?<=[A-Za-z ])[\x85\x91-\x97\xc0-\xff](?![\x80-\xff])|[\x80\x91-\x97\xa3\xc0-\xff](?=[A-Za-z0-9 ])")
"""Bytes that in cp1252 are letters or typographic marks, next to a letter: accents stand among plain letters."""
_WESTERN_SHARE = 0.8


def local_file(reference: str) -> tuple[Path, bytes]:
    """The file that a locator names, and its first 8 KB.

    Raises:
        StageError(SourceNotFound, SourceIsDirectory, SourceEmpty): It is no file with content that may be read.
    """
    path = Path(reference).expanduser()
    try:
        if path.is_dir():
            raise StageError(SourceIsDirectory(), where=str(path))
        if not path.is_file():
            raise StageError(SourceNotFound(), where=str(path), cause=_absence(path))
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except PermissionError as error:
        raise StageError(SourceNotFound(), where=str(path), cause="you may not read it") from error
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links, a zero byte in the name
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StageError(SourceNotFound(), where=repr(reference[:HEAD_CHARACTERS]), cause=cause) from error
    if not head:
        raise StageError(SourceEmpty(), where=str(path), cause="it has 0 bytes")
    return path, head


def _absence(path: Path) -> str:
    if path.is_symlink():
        return "the link leads to no file"
    return "it is not a regular file" if path.exists() else "no such file"


def text_file(reference: str, *, utf16: bool = False) -> Path:
    """The text file that a locator names.

    Args:
        utf16: Whether the connector can read UTF-16.

    Raises:
        StageError(SourceNotFound, SourceIsDirectory, SourceEmpty, SourceBinary): It is not a text file with content.
    """
    path, head = local_file(reference)
    if (encoding := utf16_of(head)) is not None:
        if utf16:
            return path
        next_step = f"Write it as UTF-8: iconv -f {encoding.upper()} -t UTF-8."
        raise StageError(SourceBinary(), where=str(path), cause="it is UTF-16", next_step=next_step)
    known = next((sign for magic, sign in _SIGNS.items() if head.startswith(magic)), None)
    if known is not None:
        raise StageError(SourceBinary(), where=str(path), cause=known, next_step=f"Name it as file:{path}.")
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


def utf16_of(head: bytes) -> str | None:
    """The codec of a text that begins with the byte order mark of UTF-16."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return None
    return _UTF16.get(head[:2])


def encoding_of(path: Path) -> str:
    """The encoding of a file, from its first 4 MB; see `encoding_in`."""
    with path.open("rb") as file:
        return encoding_in(file.read(_ENCODING_BYTES))


def encoding_in(head: bytes) -> str:
    """utf-8, utf-16-le, utf-16-be or cp1252, from the beginning of a text.

    A text is cp1252 when it is not UTF-8, has nothing that only UTF-8 would have, and four in five of its bytes over 127
    stand as accents and typographic marks do. So a UTF-8 file with a few broken bytes stays one.
    """
    if (wide := utf16_of(head)) is not None:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        high = sum(1 for _ in _HIGH.finditer(head))
        western = sum(1 for _ in _WESTERN.finditer(head))
        return "cp1252" if not _MULTIBYTE.search(head) and western >= _WESTERN_SHARE * high else "utf-8"
    return "utf-8"


SizedLine = tuple[str, int]
"""A line of a text, its end included, and how many bytes of the file it takes.

Bytes that can't be decoded are lone surrogates. Of a line of more than 16 MB the text is only its beginning.
"""


def lines_of(file: BinaryIO, encoding: str) -> Iterator[SizedLine]:
    """The lines of a file, none of them larger in memory than 16 MB and a block."""
    if encoding.startswith("utf-16"):
        return _wide_lines(file, encoding)
    return chain.from_iterable(_batches(file, encoding))


def _batches(file: BinaryIO, encoding: str) -> Iterator[Iterable[SizedLine]]:
    """Lines by the block, for a line by itself costs ten times as much to read and decode."""
    rest = b""
    while block := file.read(READ_BYTES):
        block = rest + block
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if end:
            yield _split(block[:end], encoding)
        if len(rest) > MAX_LINE_BYTES:
            beginning = rest[: 4 * HEAD_CHARACTERS].decode(encoding, errors="surrogateescape")
            yield ((beginning, len(rest) + skip_line(file)),)
            rest = b""
    if rest:
        yield _split(rest, encoding)


def _split(block: bytes, encoding: str) -> Iterator[SizedLine]:
    """The lines of a block, which end at line feeds alone."""
    lines = StringIO(block.decode(encoding, errors="surrogateescape"), newline="\n")
    return zip(lines, map(len, BytesIO(block)), strict=True)


def _wide_lines(file: BinaryIO, encoding: str) -> Iterator[SizedLine]:
    """As `lines_of`; a line break is two bytes, and one of them may be half of another character."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
    pending, skipped = "", 0
    while block := file.read(_BLOCK_BYTES):
        *ended, rest = (pending + decoder.decode(block)).split("\n")
        for text in ended:
            yield text + "\n", skipped + _wide_size(text + "\n", encoding)
            skipped = 0
        pending = rest
        if 2 * len(pending) > MAX_LINE_BYTES:
            beginning = pending[:HEAD_CHARACTERS]
            skipped, pending = skipped + _wide_size(pending[HEAD_CHARACTERS:], encoding), beginning
    odd = "\udcff" if decoder.getstate()[0] else ""  # half a character at the end of the file
    if pending or odd:
        yield pending + odd, skipped + _wide_size(pending, encoding) + len(odd)


def _wide_size(text: str, encoding: str) -> int:
    return len(text.encode(encoding, errors="surrogatepass"))


def skip_line(file: BinaryIO) -> int:
    """Read to the end of the line; returns how many bytes that was."""
    skipped = 0
    while rest := file.readline(READ_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped
