"""PDF: the text layer, page by page."""

from io import BytesIO
from typing import TYPE_CHECKING

from brewslm.readers.base import PAGE_BREAK, Reader, ReadText, Unreadable, counted, plain
from brewslm.rows.reasons import RowReason

if TYPE_CHECKING:
    from pypdf import PageObject
    from pypdf import PdfReader as Pdf


class PdfReader(Reader):
    """A PDF's text layer. Pictures of text are not recognised."""

    media_type = "application/pdf"
    libraries = ("pypdf",)
    suffixes = (".pdf",)
    meaning = "The text layer, page by page; scans have none. One that is locked for its owner alone is opened."

    def text_of(self, content: bytes) -> ReadText:
        """The pages' texts, an empty line between them.

        Raises:
            Unreadable(DOCUMENT_ENCRYPTED): It has a password that is not the empty one.
            Unreadable(DOCUMENT_WITHOUT_TEXT_LAYER): It has pages, and text on none of them.
            Unreadable(DOCUMENT_CORRUPT): Pages that failed were all that could have text.
        """
        texts = [_page_text(page) for page in _opened(content).pages]
        failed, blank = texts.count(None), sum(text is not None and not text.strip() for text in texts)
        if texts and failed + blank == len(texts):
            raise Unreadable(RowReason.DOCUMENT_CORRUPT if failed else RowReason.DOCUMENT_WITHOUT_TEXT_LAYER)
        text, starts = _joined([text or "" for text in texts])
        notes = counted(
            pages=len(texts), pages_without_text=blank, pages_failed=failed, undecodable_characters=text.count("\ufffd")
        )
        return ReadText(text, page_starts=starts, notes=notes)


def _opened(content: bytes) -> "Pdf":
    from pypdf import PdfReader as Pdf

    pdf = Pdf(BytesIO(content))
    if pdf.is_encrypted:
        try:
            is_open = bool(pdf.decrypt(""))
        except NotImplementedError:  # a way to encrypt that pypdf does not know, such as by certificate
            is_open = False
        if not is_open:
            raise Unreadable(RowReason.DOCUMENT_ENCRYPTED)
    return pdf


def _page_text(page: "PageObject") -> str | None:
    """One page's text, or None when the page is broken."""
    try:
        return plain(page.extract_text()).strip("\n")
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a page's boundary: pypdf says of itself that broken files raise anything
        return None


def _joined(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """The whole text, and where each page begins in it."""
    starts, parts, at = [], [], 0
    for page in pages:
        if page and at:
            parts.append(PAGE_BREAK)
            at += len(PAGE_BREAK)
        starts.append(at)
        parts.append(page)
        at += len(page)
    return "".join(parts), tuple(starts)
