"""Read-only view of a project's documents."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import Document


class DocumentView(BaseModel):
    """A document and what cleaning found in it.

    Attributes:
        state: "added" (not cleaned yet), "cleaned" or "rejected".
        reason: Why it was rejected.
        cleaned: text_hash, path, findings, quality and counts; None before the first cleaning.
    """

    id: int
    name: str
    path: str
    media_type: str
    size_bytes: int
    state: str
    reason: str | None
    cleaned: dict[str, Any] | None
    created_at: datetime


def documents(project_id: int) -> list[DocumentView]:
    """The project's documents in the order in which they were added.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project_id)
        query = select(Document).where(Document.project_id == project_id).order_by(Document.id)
        return [_view(document) for document in session.scalars(query)]


def _view(document: Document) -> DocumentView:
    state = "added" if document.cleaned is None else "rejected" if document.reason else "cleaned"
    return DocumentView(
        id=document.id,
        name=document.name,
        path=document.path,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        state=state,
        reason=document.reason,
        cleaned=document.cleaned,
        created_at=document.created_at,
    )
