"""Files that came over HTTP, and which local files a caller over HTTP may name.

The command line is its user, and reads what he may read. A caller over HTTP is nobody in particular: he may name what was
uploaded, and what lies in a folder that this machine's owner has opened with BREWSLM_API_FOLDERS.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from fastapi import APIRouter, UploadFile
from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.reasons.refusals import InvalidRequest, PathOutsideProject
from brewslm.settings import settings
from brewslm.sources import names_a_path
from brewslm.store.files import sync_folder

router = APIRouter(prefix="/api/uploads", tags=["uploads"])


class UploadView(BaseModel):
    """A file that was uploaded.

    Attributes:
        path: What to write after the scheme of a locator, such as jsonl:<path>.
    """

    name: str
    path: str
    sha256: str
    size_bytes: int


@router.post("", operation_id="upload.add", status_code=201)
def upload(file: UploadFile) -> UploadView:
    """Bring a file to this machine; the same content under the same name is kept once."""
    return kept(file)


def kept(file: UploadFile) -> UploadView:
    """Write an uploaded file to `uploads/<hash>/<name>`, whole or not at all.

    Raises:
        StageError(InvalidRequest): It has no name.
    """
    name = Path(file.filename or "").name
    if name in ("", ".", ".."):
        raise StageError(InvalidRequest(), "The file was not uploaded", cause="it has no name")
    root = uploads_folder()
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=root, prefix=".upload.", delete=False) as written:
        try:
            while block := file.file.read(1 << 20):
                digest.update(block)
                size += written.write(block)
            written.flush()
            os.fsync(written.fileno())
            target = root / digest.hexdigest()[:16] / name
            target.parent.mkdir(exist_ok=True)
            Path(written.name).replace(target)
        except BaseException:
            Path(written.name).unlink(missing_ok=True)
            raise
    sync_folder(target.parent)
    return UploadView(name=name, path=str(target.relative_to(root)), sha256=digest.hexdigest(), size_bytes=size)


def uploads_folder() -> Path:
    """Where uploaded files stand."""
    return settings().home / "uploads"


def readable(locator: str) -> str:
    """A locator whose path, if it has one, the API may read; a relative one is taken from the uploads.

    Raises:
        StageError(PathOutsideProject): It leads elsewhere.
    """
    scheme, colon, reference = locator.partition(":")
    return f"{scheme}:{_inside(reference)}" if colon and (scheme == "path" or names_a_path(scheme)) else locator


def readable_path(name: str) -> str:
    """As `readable`, for what may also be a preset's name: a path has a folder or a suffix in it."""
    looks_like_path = "/" in name or name.endswith((".yaml", ".yml"))
    return str(_inside(name)) if looks_like_path and ":" not in name else readable(name)


def readable_file(name: str) -> str:
    """The path of an uploaded file, or of one in a folder that the API may read.

    Raises:
        StageError(PathOutsideProject): It leads elsewhere.
    """
    return str(_inside(name))


def _inside(reference: str) -> Path:
    path = (uploads_folder() / reference).resolve()
    if not any(path.is_relative_to(folder.resolve()) for folder in (uploads_folder(), *settings().api_folders)):
        cause = "the API reads uploaded files, and folders that BREWSLM_API_FOLDERS names"
        next_step = "Upload the file with POST /api/uploads, and name the path that it answers."
        raise StageError(PathOutsideProject(), where=reference, cause=cause, next_step=next_step)
    return path
