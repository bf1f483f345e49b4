"""Word documents (.docx): paragraphs, headings, lists and tables as Markdown."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from brewslm.readers.base import Reader, ReadText, Unreadable, counted, plain
from brewslm.rows.reasons import RowReason

if TYPE_CHECKING:
    from docx.document import Document

Element = Any
"""lxml brings no types."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The container of old Word documents, and of new ones with a password ([MS-OFFCRYPTO] 2.3)."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
MOST_UNPACKED_BYTES = 256 * 1024 * 1024
MOST_PARTS = 10_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEFT_OUT = frozenset(
    [f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"]
)
"""Deleted and moved text, the code of fields, and the second version of a text box."""
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


class DocxReader(Reader):
    """A Word document's body: with content controls, text boxes and insertions, without headers, footers and comments."""

    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    libraries = ("docx",)
    suffixes = (".docx",)
    meaning = "The body as Markdown: headings, lists and tables; headers, footers, notes and pictures are left out."

    def text_of(self, content: bytes) -> ReadText:
        """The body's text.

        Raises:
            Unreadable(DOCUMENT_ENCRYPTED): It has a password.
            Unreadable(DOCUMENT_TOO_LARGE): It unpacks to more than 256 MB, or has more than 10,000 parts.
            Unreadable(UNKNOWN_DOCUMENT_KIND): It is a template, or holds macros.
        """
        _check(content)
        from docx import Document

        try:
            document = Document(BytesIO(content))
        except ValueError as error:  # python-docx says so of any other content type
            raise Unreadable(RowReason.UNKNOWN_DOCUMENT_KIND) from error
        body = document.element.body
        blocks = [block for block in _Body(document).blocks(body) if block.strip()]
        notes = counted(
            notes_left_out=sum(1 for _ in body.iter(f"{_W}footnoteReference", f"{_W}endnoteReference")),
            pictures=sum(1 for _ in body.iter("{http://schemas.openxmlformats.org/drawingml/2006/picture}pic")),
        )
        return ReadText(_joined(blocks), markdown=True, notes=notes)


def _check(content: bytes) -> None:
    if content.startswith(OLE):
        raise Unreadable(RowReason.DOCUMENT_ENCRYPTED if ENCRYPTED in content else RowReason.DOCUMENT_CORRUPT)
    with zipfile.ZipFile(BytesIO(content)) as archive:  # of a part, no more is ever unpacked than it announces
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise Unreadable(RowReason.DOCUMENT_TOO_LARGE)


class _Body:
    """Walks one document's body."""

    def __init__(self, document: "Document") -> None:
        self._styles = {style.style_id: (style.name or "") for style in document.styles if style.style_id}
        self._bullets = _bullet_lists(document)

    def blocks(self, parent: Element) -> Iterator[str]:
        """The paragraphs and tables in their order, whatever they are wrapped in."""
        for element in parent:
            if element.tag == f"{_W}p":
                yield self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                yield self._table(element)
            elif element.tag not in _LEFT_OUT:
                yield from self.blocks(element)

    def _paragraph(self, paragraph: Element) -> str:
        text = plain("".join(_pieces(paragraph))).strip()
        return self._mark(paragraph) + text if text else ""

    def _mark(self, paragraph: Element) -> str:
        """`#` of a heading, `-` or `1.` of a list, set in by its level."""
        style = self._styles.get(_value(paragraph, "pPr/pStyle"), "")
        level = style.rpartition(" ")[2]
        if style == "Title" or (style.lower().startswith("heading ") and level.isdecimal()):
            return "#" * min(6, 1 if style == "Title" else max(1, int(level))) + " "
        number = _value(paragraph, "pPr/numPr/numId")
        if style.startswith("List ") or number not in ("", "0"):
            depth = _value(paragraph, "pPr/numPr/ilvl") or (str(int(level) - 1) if level.isdecimal() else "0")
            is_bullet = number in self._bullets if number else not style.startswith("List Number")
            return "  " * min(8, int(depth) if depth.isdecimal() else 0) + ("- " if is_bullet else "1. ")
        return ""

    def _table(self, table: Element) -> str:
        """One line a row; a Markdown table has a line under its first row."""
        rows = [self._cells(row) for row in table.iter(f"{_W}tr") if _nearest(row, f"{_W}tbl") is table]
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        if rows:
            lines.insert(1, "|" + " --- |" * max(1, len(rows[0])))
        return "\n".join(lines)

    def _cells(self, row: Element) -> list[str]:
        cells = (cell for cell in row.iter(f"{_W}tc") if _nearest(cell, f"{_W}tr") is row)
        return [self._cell(cell).replace("|", "\\|") for cell in cells]

    def _cell(self, cell: Element) -> str:
        """On one line, a table inside it too; what stands in a text box comes with the paragraph that holds the box."""
        paragraphs = (one for one in cell.iter(f"{_W}p") if _nearest(one, f"{_W}p") is None)
        return " ".join(" ".join(self._paragraph(one) for one in paragraphs).split())


def _pieces(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == f"{_W}p":  # of a text box
            yield "\n"
            yield from _pieces(child)
            yield "\n"
        elif child.tag not in _LEFT_OUT and isinstance(child.tag, str):
            yield from _pieces(child)


def _nearest(element: Element, tag: str) -> Element:
    return next(element.iterancestors(tag), None)


def _value(element: Element, path: str) -> str:
    found = element.find("/".join(_W + step for step in path.split("/")))
    return found.get(f"{_W}val", "") if found is not None else ""


def _bullet_lists(document: "Document") -> frozenset[str]:
    """The ids of the lists whose first level has a bullet and no number."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    parts = [one.target_part for one in document.part.rels.values() if one.reltype == RELATIONSHIP_TYPE.NUMBERING]
    if not parts:
        return frozenset()
    numbering = document.part.numbering_part.element
    formats = {one.get(f"{_W}abstractNumId"): _value(one, "lvl/numFmt") for one in numbering.iter(f"{_W}abstractNum")}
    lists = ((one.get(f"{_W}numId", ""), _value(one, "abstractNumId")) for one in numbering.iter(f"{_W}num"))
    return frozenset(number for number, abstract in lists if formats.get(abstract) == "bullet")


def _joined(blocks: list[str]) -> str:
    """An empty line between blocks, none between the items of a list."""
    text, was_item = "", False
    for block in blocks:
        is_item = block.lstrip().startswith(("- ", "1. "))
        text += ("" if not text else "\n" if was_item and is_item else "\n\n") + block
        was_item = is_item
    return text
