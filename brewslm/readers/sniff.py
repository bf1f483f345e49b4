"""Which kind a file is: its content decides, and its name where the content leaves it open. Nothing is read as text."""

import codecs
import re
import zipfile
from pathlib import Path

from brewslm.errors import StageError
from brewslm.readers import READERS
from brewslm.readers.docx import OLE, DocxReader
from brewslm.readers.email import EmailReader
from brewslm.readers.html import HtmlReader
from brewslm.readers.pdf import PdfReader
from brewslm.readers.text import TextReader
from brewslm.reasons.refusals import SourceBinary, SourceEmpty, UnknownDocumentKind
from brewslm.sources.textfile import ZIP, local_file, looks_binary, utf16_of

BY_SUFFIX = {suffix: reader.media_type for reader in READERS.values() for suffix in reader.suffixes}
_TEXTS = tuple(one.media_type for one in READERS.values() if one.media_type.startswith("text/"))
_PDF = b"%PDF-"
_PDF_BYTES = 1024
"""Readers look for a PDF's sign so far, for some have a line of something else before it; a text may only speak of it."""
_PAGE = re.compile(
    r"\s*(<\?xml[^>]{0,200}>\s*)?(?>\s*<!--.{0,2000}?-->)*+\s*<(!doctype\s+html|html)[\s>]", re.IGNORECASE | re.DOTALL
)
_HEADER = re.compile(r"([!-9;-~]+):[ \t]?[^\n]*\n([ \t]+\S[^\n]*\n)*")
_MAIL = (
    {"from", "message-id"},
    {"from", "mime-version"},
    {"from", "received"},
    {"return-path", "received"},
    {"from", "to", "subject", "date"},
)
"""Headers that together only a message has."""


def media_type_of(path: Path) -> str:
    """The media type of a document.

    Raises:
        StageError(SourceNotFound, SourceIsDirectory): There is no file that may be read.
        StageError(SourceEmpty): It holds nothing but white space.
        StageError(SourceBinary, UnknownDocumentKind): No reader is for it.
    """
    path, head = local_file(str(path))
    named = BY_SUFFIX.get(path.suffix.lower())
    if not head.strip(codecs.BOM_UTF8 + b" \t\r\n\f\v\0") and path.stat().st_size == len(head):
        raise StageError(SourceEmpty(), where=str(path), cause="it holds no text", next_step="Choose a document that holds text.")
    if head.lstrip().startswith(_PDF) or (named not in _TEXTS and _PDF in head[:_PDF_BYTES]):
        return PdfReader.media_type
    if head.startswith(OLE) and named == DocxReader.media_type:  # as one with a password is kept
        return named
    if head.startswith(ZIP):
        return _zipped(path)
    return _text_kind(path, head, named)


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            if "word/document.xml" in archive.namelist():
                return DocxReader.media_type
            cause = f"it is a zip file of {len(archive.namelist()):,} files, and no Word document"
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        cause = f"its zip file can't be read: {error}"
    raise StageError(SourceBinary(), where=str(path), cause=cause, next_step="Unpack it, and name the folder.")


def _text_kind(path: Path, head: bytes, named: str | None) -> str:
    wide = utf16_of(head)
    sign = None if wide else looks_binary(head)
    if sign is not None:
        raise StageError(SourceBinary(), where=str(path), cause=sign, next_step=_kinds())
    text = (head[2:].decode(wide, errors="replace") if wide else head.decode(errors="replace")).lstrip("\ufeff")
    if _PAGE.match(text):
        return HtmlReader.media_type
    if _is_mail(text.replace("\r\n", "\n")):
        return EmailReader.media_type
    if named in (*_TEXTS, EmailReader.media_type):
        return named
    if not path.suffix:
        return TextReader.media_type
    cause = f"it is text, though {path.suffix} is not one of {', '.join(sorted(BY_SUFFIX))}"
    raise StageError(UnknownDocumentKind(), where=str(path), cause=cause)


def _is_mail(text: str) -> bool:
    """Whether it begins with a message's header, perhaps after the line that a mailbox puts before it."""
    if text.startswith("From "):
        text = text.partition("\n")[2]
    names: set[str] = set()
    at = 0
    while (line := _HEADER.match(text, at)) is not None:
        names.add(line[1].lower())
        at = line.end()
    return any(some <= names for some in _MAIL)


def _kinds() -> str:
    return f"Name a document of one of these kinds: {', '.join(sorted(BY_SUFFIX))}."
