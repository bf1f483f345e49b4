"""Readers of documents: one file per kind, and how a media type finds its own."""

from brewslm.readers.base import Reader, ReadText, Unreadable
from brewslm.readers.docx import DocxReader
from brewslm.readers.email import EmailReader
from brewslm.readers.html import HtmlReader
from brewslm.readers.pdf import PdfReader
from brewslm.readers.text import MarkdownReader, TextReader
from brewslm.rows.reasons import RowReason

READERS: dict[str, Reader] = {
    reader.media_type: reader
    for reader in (TextReader(), MarkdownReader(), HtmlReader(), EmailReader(), PdfReader(), DocxReader())
}
"""By media type."""

__all__ = ["READERS", "ReadText", "Reader", "Unreadable", "reader_for"]


def reader_for(media_type: str) -> Reader:
    """The reader of a kind.

    Raises:
        Unreadable(UNKNOWN_DOCUMENT_KIND): There is none.
    """
    if media_type not in READERS:
        raise Unreadable(RowReason.UNKNOWN_DOCUMENT_KIND)
    return READERS[media_type]
