"""What cleaning leaves of one document: its report in the document's row, and its files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.rows.reasons import RowReason

MOST_FINDINGS = 1000


class NearDuplicate(BaseModel):
    """The earlier document that one nearly equals, and their Jaccard similarity, 0 to 1."""

    model_config = ConfigDict(frozen=True)

    document: int
    similarity: float


class DocumentReport(BaseModel):
    """What cleaning found in one document.

    Attributes:
        reason: Why it was turned away; None when it was kept.
        path: The cleaned text, relative to the project's folder.
        source_path: The text that source offsets are in: the document itself where it is that text, else `<id>.source.txt`.
        text_hash: SHA-256 of the cleaned text as UTF-8.
        size_bytes: Of the document.
        raw_characters, characters: Of the text that was read, and of the cleaned one.
        markdown: Whether headings are lines that begin with `#`.
        page_starts: Where pages begin, in characters of the text that was read.
        notes: What the reader counted, such as pages without text.
        trimmed_lines: By kind: pattern, header, footer and those of the web.
        findings: [{type, start, end}], in characters of the cleaned text, where the placeholders stand; the first 1,000.
            Never a value.
        finding_counts: All findings by type.
        quality: 0 to 1, and its parts.
        rules_failed: Every rule that turns it away; the first is its reason.
    """

    model_config = ConfigDict(frozen=True)

    document: int
    reason: RowReason | None = None
    path: str | None = None
    source_path: str | None = None
    text_hash: str | None = None
    size_bytes: int = 0
    raw_characters: int = 0
    characters: int = 0
    chunks: int = 0
    markdown: bool = False
    page_starts: tuple[int, ...] = ()
    notes: dict[str, int] = {}
    language: str = "und"
    mended_lines: int = 0
    trimmed_lines: dict[str, int] = {}
    findings: list[dict[str, Any]] = []
    finding_counts: dict[str, int] = {}
    quality: float = 0.0
    quality_parts: dict[str, float] = {}
    rules_failed: list[RowReason] = []
    duplicate_of: int | None = None
    near_duplicate_of: NearDuplicate | None = None

    def but(self, **changed: Any) -> "DocumentReport":
        """The report with some fields changed."""
        return self.model_copy(update=changed)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A document when all was done with it.

    Attributes:
        text: The cleaned text; "" when it was turned away.
        source: The text that was read, where it is kept beside; None where the document itself is that text.
        chunk_lines: Lines of chunks.jsonl.
    """

    report: DocumentReport
    text: str = ""
    source: str | None = None
    chunk_lines: Sequence[bytes] = field(default=())
