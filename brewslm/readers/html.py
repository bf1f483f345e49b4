"""Web pages: the main text as Markdown, without menus, scripts and footers."""

import re
from collections.abc import Iterator
from typing import Any

from brewslm.readers.base import Reader, ReadText, Unreadable, counted, plain
from brewslm.readers.text import decoded
from brewslm.rows.reasons import RowReason

Element = Any
"""lxml brings no types."""
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_HEAD_BYTES = 4096
_HEADING_LINK = re.compile(r"[¶§#🔗\uf0c1]")
_NO_TEXT = ("script", "style", "template", "noscript", "nav", "svg", "head", "iframe", "object")
_INLINE = frozenset(
    ("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "label",
     "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr")
)  # fmt: skip
_ESCAPED = re.compile(r"(```.*?```|`[^`\n]*`)|\\([_\[\]])", re.DOTALL)
"""Code, which is left as it is, or a sign with a backslash before it."""
_BARE_MARK = re.compile(r"^([ \t]*[-*]) ?\n(?=[^\s-])", re.MULTILINE)


class HtmlReader(Reader):
    """A web page's main text; where none stands out, all that the page shows."""

    media_type = "text/html"
    libraries = ("lxml.html", "trafilatura")
    suffixes = (".html", ".htm", ".xhtml")
    meaning = "The main text as Markdown: headings, lists, tables and code; menus, scripts and footers are left out."

    def text_of(self, content: bytes) -> ReadText:
        """The page's text.

        Raises:
            Unreadable(BAD_ENCODING): Neither UTF-8, nor what it declares, nor Windows-1252 fits its bytes.
            Unreadable(DOCUMENT_TOO_LARGE): Its elements stand within each other deeper than lxml follows.
        """
        declared = _DECLARED.search(content[:_HEAD_BYTES])
        return page_text(decoded(content, declared[1].decode() if declared else None))


def page_text(html: str) -> ReadText:
    """The text of a page's source.

    Raises:
        Unreadable(DOCUMENT_TOO_LARGE): See `HtmlReader`.
    """
    html = plain(html)
    if not html.strip():
        return ReadText("")
    main = _main_text(_tree(html))
    text = main or _all_text(_tree(html))  # parsed again, for trafilatura takes the tree apart
    notes = counted(whole_page=bool(text) and not main, undecodable_characters=text.count("\ufffd"))
    return ReadText(text, markdown=True, notes=notes)


def _tree(html: str) -> Element:
    from lxml.etree import ErrorTypes
    from lxml.html import HTMLParser, document_fromstring

    # As bytes, for a str may not declare an encoding. Without huge_tree a text of 10 MB is left out and nothing is said.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    tree = document_fromstring(html.encode(), parser=parser)
    # Even then it stops at the 2,048th element within another, says so in its log alone, and what follows would be lost.
    if parser.error_log.filter_types(ErrorTypes.ERR_RESOURCE_LIMIT):
        raise Unreadable(RowReason.DOCUMENT_TOO_LARGE, "ERR_RESOURCE_LIMIT")
    return tree


def _main_text(page: Element) -> str:
    """What trafilatura takes for the main text, or ""."""
    from trafilatura import extract

    _drop_heading_links(page)
    found = extract(page, output_format="markdown", include_comments=False, include_tables=True)
    # A backslash is for who renders Markdown; here names such as read_csv are what is learned.
    return _BARE_MARK.sub(r"\1 ", _ESCAPED.sub(r"\1\2", found or "")).strip("\n")


def _drop_heading_links(page: Element) -> None:
    """The sign that a documentation system puts behind each heading to link to it."""
    for link in list(page.iter("a")):
        if link.get("href", "").startswith("#") and _HEADING_LINK.fullmatch((link.text or "").strip()):
            link.drop_tree()


def _all_text(page: Element) -> str:
    lines = "".join(_pieces(page)).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _pieces(page: Element) -> Iterator[str]:
    """What a page shows, in its order; a block begins and ends a line."""
    from lxml import etree

    hidden = 0
    for event, element in etree.iterwalk(page, events=("start", "end")):
        is_block, is_hidden = element.tag not in _INLINE, element.tag in _NO_TEXT
        if event == "start":
            hidden += is_hidden
            if not hidden:
                yield ("\n" if is_block else "") + " ".join((element.text or "").split("\n"))
        else:
            hidden -= is_hidden
            if not hidden:
                yield ("\n" if is_block else "") + " ".join((element.tail or "").split("\n"))
