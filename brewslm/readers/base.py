"""What a reader is: one kind of document becomes text, or there is a reason why not."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from brewslm.rows.reasons import RowReason

PAGE_BREAK = "\n\n"


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text of a document.

    Attributes:
        text: Its lines end in a line feed alone, it can be written as UTF-8, and it holds no NUL. Chunks are offsets in it.
        markdown: Whether headings are lines that begin with `#`.
        page_starts: The offset, in characters of `text`, at which each page begins; () where the kind has no pages. A page
            without text begins where the one before it ends.
        notes: What a person should know, counted, such as {"pages_without_text": 2}; never any text.
    """

    text: str
    markdown: bool = False
    page_starts: tuple[int, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)


class Unreadable(Exception):
    """A document that gives no text.

    Args:
        reason: Its code.
        detail: The type of the error behind it, for a log; never what the document says.
    """

    def __init__(self, reason: RowReason, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)


class Reader(ABC):
    """One kind of document. It keeps no state.

    Attributes:
        media_type: As the project records it.
        libraries: Modules that take long to import; `read_bounded` has them imported once for all documents.
        parses: False where all it does is to decode: such a document can't loop or crash, and needs no process of its own.
        suffixes: Of file names, in lower case and with their dot; the first is that of the copy in the project.
        meaning: What is read of such a document, in one sentence.
    """

    media_type: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()
    parses: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]]
    meaning: ClassVar[str]

    def read(self, path: Path) -> ReadText:
        """The text of a file; `read_bounded` does it within limits.

        Raises:
            Unreadable: It gives none, whatever its bytes are.
            MemoryError: It takes more than there is.
            OSError: The disk failed, which says nothing about the document.
        """
        return self.read_content(path.read_bytes())

    def read_content(self, content: bytes) -> ReadText:
        """The text of a file's content; see `read`."""
        try:
            found = self.text_of(content)
        except (Unreadable, MemoryError):
            raise
        except Exception as error:
            raise Unreadable(RowReason.DOCUMENT_CORRUPT, type(error).__name__) from error
        if not found.text.strip():
            raise Unreadable(RowReason.DOCUMENT_EMPTY)
        return found

    @abstractmethod
    def text_of(self, content: bytes) -> ReadText:
        """The text of a document's bytes, through `plain`. It may raise anything: `read_content` makes a reason of it."""


def plain(text: str) -> str:
    """Line feeds for any kind of line end, and U+FFFD for what can't be written or isn't text: lone surrogates and NUL."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return text.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")


def counted(**notes: int) -> dict[str, int]:
    """The notes that have something to say."""
    return {name: int(count) for name, count in notes.items() if count}
