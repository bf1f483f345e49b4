"""Where a project's rows may lie: every file of it that is not weights, and the folders of its runs."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.settings import settings
from brewslm.store.files import project_folder, run_folder
from brewslm.store.tables import DeploymentVersion, Run

WORK = "forgetting"
"""The folder of a project in which stands, while rows are being forgotten, what is looked for."""
_ELSEWHERE = frozenset([WORK, "locks", "secrets", "sources", "documents", "media", "support", "keys"])
"""Folders that have no row's text, or whose files are seen to by themselves."""
_NO_TEXT = frozenset(
    [".bin", ".gguf", ".index", ".key", ".keys", ".lock", ".npy", ".npz", ".pt", ".safetensors", ".sqlite", ".zip"]
)  # fmt: skip


def folders(session: Session, project: int) -> list[Path]:
    """The project's folder, and those of its runs; a version's log too."""
    ids = session.scalars(select(Run.id).where(Run.project_id == project).order_by(Run.created_at))
    logs = session.scalars(select(DeploymentVersion.id).where(DeploymentVersion.project_id == project))
    every = [project_folder(project), *map(run_folder, ids)]
    return [*every, *(settings().home / "serving" / "logs" / f"{one}.log" for one in logs)]


def files(places: list[Path]) -> Iterator[Path]:
    """Every file in them that may have text, links aside."""
    for place in places:
        if place.is_file():
            yield place
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            elsewhere = path.suffix in _NO_TEXT or _ELSEWHERE & set(path.relative_to(place).parts[:-1])
            if not elsewhere and path.is_file() and not path.is_symlink():
                yield path


def shown(path: Path) -> str:
    """Relative to the home."""
    home = settings().home
    return str(path.relative_to(home)) if path.is_relative_to(home) else path.name
