"""A cleaned document's text, a stretch at a time: what stands for personal data is marked, and the data itself is not in it."""

from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.observe.documents import DocumentView, documents
from brewslm.reasons.refusals import UnknownRow
from brewslm.store.files import project_folder

STRETCH = 8_000


class Piece(BaseModel):
    """A piece of text; `kind` is the type of personal data that it stands for, None for all else."""

    text: str
    kind: str | None = None


class DocumentText(BaseModel):
    """A stretch of a document.

    Attributes:
        pieces: In their order; none where the document was turned away, or is not cleaned yet.
        start, end, characters: Which of how many characters they are.
    """

    document: DocumentView
    pieces: list[Piece]
    start: int
    end: int
    characters: int


def document_text(project: int, number: int, start: int = 0) -> DocumentText:
    """Read it.

    Args:
        start: The first character.

    Raises:
        StageError(UnknownProject): There is no such project.
        StageError(UnknownRow): It has no document of this number.
    """
    found = next((one for one in documents(project) if one.id == number), None)
    if found is None:
        raise StageError(UnknownRow(), "there is no such document", where=f"project {project}, document {number}")
    report = found.cleaned or {}
    path = project_folder(project) / report["path"] if report.get("path") and not found.reason else None
    text = path.read_bytes().decode() if path is not None and path.is_file() else ""
    start = min(start, len(text))
    end = min(start + STRETCH, len(text))
    pieces, at = [], start
    for one in sorted(report.get("findings", []), key=lambda finding: finding["start"]):
        if one["start"] >= at and one["end"] <= end:
            pieces += [Piece(text=text[at : one["start"]]), Piece(text=text[one["start"] : one["end"]], kind=one["type"])]
            at = one["end"]
    pieces.append(Piece(text=text[at:end]))
    return DocumentText(document=found, pieces=[one for one in pieces if one.text], start=start, end=end, characters=len(text))
