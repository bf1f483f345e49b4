"""Where the live model servers are: one small file each, valid for as long as its writer holds the lock beside it.

One that could not be started leaves its cause in a file too, so that whoever waits for it need not wait for nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from brewslm.settings import settings
from brewslm.store.files import read_json, write_json
from brewslm.store.locks import is_held, lock
from brewslm.store.secrets import endpoint_key

WANT_POLL_SECONDS = 0.05


class Endpoint(BaseModel):
    """A live model server.

    Attributes:
        base_url: Such as "http://127.0.0.1:40001/v1".
        model: The name it answers to.
        pid: Of its process; 0 where it runs elsewhere.
        chat: It speaks OpenAI's chat completions.
        rows: It answers rows, at `rows_url`.
        key: The name of the key that it wants; "" of none. The key itself stands in no file of ours but the secret's own.
        project_id: Whose key that is.
    """

    model_config = ConfigDict(frozen=True)

    base_url: str
    model: str
    pid: int = 0
    chat: bool = True
    rows: bool = False
    key: str = ""
    project_id: int = 0

    @property
    def address(self) -> str:
        """Without "/v1"."""
        return self.base_url.removesuffix("/v1")

    @property
    def rows_url(self) -> str:
        """Where it answers rows: see `serving.asking`."""
        return f"{self.address}/predict"

    @property
    def secret(self) -> str | None:
        """Its key, read now; None where it wants none, or the key is not there."""
        return endpoint_key(self.project_id, self.key) if self.key else None

    def headers(self) -> dict[str, str]:
        """What a request to it must carry."""
        return {"authorization": f"Bearer {self.secret}"} if self.secret else {}


def _path(version_id: int, suffix: str) -> Path:
    return settings().home / "serving" / f"{version_id}{suffix}"


def endpoint_file(version_id: int) -> Path:
    """Where a version's endpoint is written."""
    return _path(version_id, ".json")


def endpoint_lock(version_id: int) -> Path:
    """Held by whoever keeps this version's server alive."""
    return _path(version_id, ".lock")


def failure_file(version_id: int) -> Path:
    """Where the cause is written of a version whose server could not be started."""
    return _path(version_id, ".failed.json")


def tell_failure(version_id: int, cause: str | None) -> None:
    """Leave the cause, or take back a former one."""
    if cause is None:
        failure_file(version_id).unlink(missing_ok=True)
    else:
        write_json(failure_file(version_id), cause)


def failure_of(version_id: int) -> str | None:
    """Why its keeper could not start it last time; None where nobody keeps it, or it is up or on its way."""
    file = failure_file(version_id)
    try:
        return str(read_json(file)) if is_held(endpoint_lock(version_id)) else None
    except FileNotFoundError:
        return None


def locate(version_id: int) -> Endpoint | None:
    """The live server of a deployment version, or None."""
    if not is_held(endpoint_lock(version_id)):
        return None
    try:
        return Endpoint.model_validate(read_json(endpoint_file(version_id)))
    except FileNotFoundError:  # it is not up yet, or was taken from the list while we looked
        return None


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


def wait_for(version_id: int, seconds: float, *, give_up: bool = False) -> Endpoint | None:
    """The version's live server as soon as there is one; None when there is none in time.

    Args:
        give_up: As soon as its keeper could not start it, too.
    """
    until = time.monotonic() + seconds
    while (found := locate(version_id)) is None and time.monotonic() < until:
        if give_up and failure_of(version_id) is not None:
            return None
        time.sleep(WANT_POLL_SECONDS)
    return found
