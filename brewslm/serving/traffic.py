"""Which versions have requests under way: a kernel lock that every request shares, freed however its gateway ends."""

from contextlib import AbstractContextManager
from pathlib import Path

from brewslm.settings import settings
from brewslm.store.locks import is_taken, shared


def using(version_id: int) -> AbstractContextManager[None]:
    """Tell for the block that a request runs on this version, so that its server is not ended."""
    return shared(_path(version_id))


def in_use(version_id: int) -> bool:
    """Whether a request of any gateway of this home runs on this version now."""
    return is_taken(_path(version_id))


def _path(version_id: int) -> Path:
    return settings().home / "serving" / f"{version_id}.traffic"
