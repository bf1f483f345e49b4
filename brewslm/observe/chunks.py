"""Where a chunk comes from: its place in the cleaned text, in the text that was read, and in the document."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy.orm import Session

from brewslm.store.tables import Document


class ChunkOrigin(BaseModel):
    """A chunk's place.

    Attributes:
        name, media_type: The document's.
        index: From 0, among the document's chunks.
        page: From 1; None where the document has no pages.
        start, end: In characters of the cleaned text, `path`.
        source_start, source_end: In characters of the text that was read, `source_path`. Paths are relative to the project's
            folder; None when the document was cleaned anew since.
        findings: Personal data in the whole document, by type.
    """

    document: int
    name: str
    media_type: str
    index: int
    page: int | None
    start: int
    end: int
    source_start: int
    source_end: int
    path: str | None
    source_path: str | None
    tokens: int
    headings: list[str]
    language: str | None
    quality: float | None
    findings: dict[str, int]


def chunk_of(project: Path, row_id: str) -> dict[str, Any] | None:
    """The chunk's line in the project's cleaned folder; None when no chunk has this id."""
    return next(lines_of(project / "cleaned" / "chunks.jsonl", row_id), None)


def chunk_origin(session: Session, chunk: dict[str, Any]) -> ChunkOrigin:
    """Its place, with what its document's report says."""
    document = session.get(Document, chunk["document"])
    report = (document.cleaned if document else None) or {}
    starts = report.get("page_starts") or []
    return ChunkOrigin(
        **{name: chunk[name] for name in ("document", "index", "start", "end", "tokens", "headings")},
        source_start=chunk["source_start"],
        source_end=chunk["source_end"],
        name=document.name if document else "",
        media_type=document.media_type if document else "",
        page=max(1, bisect_right(starts, chunk["source_start"])) if starts else None,
        path=report.get("path"),
        source_path=report.get("source_path"),
        language=report.get("language"),
        quality=report.get("quality"),
        findings=report.get("finding_counts", {}),
    )


def lines_of(path: Path, row_id: str) -> Iterator[dict[str, Any]]:
    """The row's lines in a file that has no index."""
    needle = row_id.encode()
    if path.exists():
        with path.open("rb") as lines:
            for line in lines:
                if needle in line and (row := orjson.loads(line)).get("row_id") == row_id:
                    yield row
