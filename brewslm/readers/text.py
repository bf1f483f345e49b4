"""Plain text and Markdown, and how bytes of any document become characters."""

import codecs

from brewslm.readers.base import Reader, ReadText, Unreadable, counted, plain
from brewslm.rows.reasons import RowReason
from brewslm.sources.textfile import encoding_in, utf16_of

_AS_BROWSERS_READ = {"iso8859-1": "cp1252", "ascii": "cp1252"}
"""Both are declared for texts with curly quotes and dashes that only cp1252 has (WHATWG Encoding, "Names and labels")."""


class TextReader(Reader):
    """A text as it stands."""

    media_type = "text/plain"
    parses = False
    suffixes = (".txt", ".text")
    meaning = "The text as it stands; UTF-8, UTF-16 with its byte order mark, or Windows-1252."
    markdown = False

    def text_of(self, content: bytes) -> ReadText:
        """The decoded text.

        Raises:
            Unreadable(BAD_ENCODING): No known encoding fits, or it holds NUL.
        """
        text = decoded(content)
        if "\0" in text:
            raise Unreadable(RowReason.BAD_ENCODING, "NUL")
        text = plain(text)
        return ReadText(text, self.markdown, notes=counted(undecodable_characters=text.count("\ufffd")))


class MarkdownReader(TextReader):
    """As plain text; its headings count."""

    media_type = "text/markdown"
    suffixes = (".md", ".markdown")
    meaning = "As plain text; the headings divide it."
    markdown = True


def decoded(content: bytes, declared: str | None = None) -> str:
    """A document's bytes as text: by its byte order mark, as UTF-8 where they are that, as declared, or as they look.

    UTF-8 goes before what is declared: bytes over 127 are hardly ever valid UTF-8 by chance, and a server's declaration is often
    wrong. But seven-bit encodings, such as ISO-2022-JP, are valid UTF-8 always.

    Args:
        declared: The encoding that the document itself names.

    Raises:
        Unreadable(BAD_ENCODING): No known encoding fits.
    """
    if (wide := utf16_of(content)) is not None:
        return content[2:].decode(wide, errors="replace")
    content = content.removeprefix(codecs.BOM_UTF8)
    guessed = encoding_in(content)
    named = _codec(declared)
    order = [named, guessed] if content.isascii() else [codec for codec in ("utf-8", named, guessed) if codec]
    for codec in filter(None, order):
        try:
            return content.decode(codec)
        except (UnicodeError, LookupError):  # LookupError: a codec that is not one of text
            continue
    raise Unreadable(RowReason.BAD_ENCODING)


def _codec(declared: str | None) -> str | None:
    try:
        name = codecs.lookup(declared).name if declared else None
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return _AS_BROWSERS_READ.get(name, name) if name else None
