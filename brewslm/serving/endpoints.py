"""Where the live model servers are: one small file each, valid for as long as its writer holds the lock beside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from brewslm.settings import settings
from brewslm.store.files import read_json
from brewslm.store.locks import is_held, lock

WANT_POLL_SECONDS = 0.05


class Endpoint(BaseModel):
    """A live OpenAI-compatible model server.

    Attributes:
        base_url: Such as "http://127.0.0.1:40001/v1".
        model: The name it answers to.
    """

    model_config = ConfigDict(frozen=True)

    base_url: str
    model: str
    pid: int


def _path(version_id: int, suffix: str) -> Path:
    return settings().home / "serving" / f"{version_id}{suffix}"


def endpoint_file(version_id: int) -> Path:
    """Where a version's endpoint is written."""
    return _path(version_id, ".json")


def endpoint_lock(version_id: int) -> Path:
    """Held by whoever keeps this version's server alive."""
    return _path(version_id, ".lock")


def locate(version_id: int) -> Endpoint | None:
    """The live server of a deployment version, or None."""
    file = endpoint_file(version_id)
    if not (file.exists() and is_held(endpoint_lock(version_id))):
        return None
    return Endpoint.model_validate(read_json(file))


def supervisor_lock() -> Path:
    """Held by the one supervisor of this home."""
    return settings().home / "serving" / "supervisor.lock"


def supervisor_runs() -> bool:
    """Whether some process (brewslm serve) keeps model servers running."""
    return is_held(supervisor_lock())


@contextmanager
def wanting(version_id: int) -> Iterator[None]:
    """Have the supervisor start a version that is not promoted, and keep it for the block."""
    with lock(_path(version_id, ".want")):
        yield


def wanted_versions() -> set[int]:
    """Versions that some process wants now."""
    return {int(file.stem) for file in (settings().home / "serving").glob("*.want") if is_held(file)}


def wait_for(version_id: int, seconds: float) -> Endpoint | None:
    """The version's live server as soon as there is one; None when there is none in time."""
    until = time.monotonic() + seconds
    while (found := locate(version_id)) is None and time.monotonic() < until:
        time.sleep(WANT_POLL_SECONDS)
    return found
