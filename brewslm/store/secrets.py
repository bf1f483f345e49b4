"""Secrets of a project: files that only this user may read, and that go into no bundle and no job."""

import os
import secrets
import tempfile
from pathlib import Path

from brewslm.store.files import project_folder, sync_folder

KEY_BYTES = 32
ENDPOINT_KEYS = "BREWSLM_KEY_"
"""What the variables begin with that hold endpoints' keys: a name can't lead to any other variable of the environment."""


def secret_path(project_id: int, name: str) -> Path:
    """Where a project's secret is, or will be."""
    return project_folder(project_id) / "secrets" / f"{name}.key"


def secret_key(path: Path) -> bytes:
    """The 32 random bytes of a secret, made when they are first asked for; two that ask at once get the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # mode 0600
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
            try:
                os.link(file.name, path)
            except FileExistsError:
                return path.read_bytes()
        sync_folder(path.parent)
    return path.read_bytes()


def endpoint_key(project_id: int, name: str) -> str | None:
    """The key of this name that some endpoint wants: from the environment, or else the project's own; None of neither."""
    said = os.environ.get(ENDPOINT_KEYS + name.upper().replace("-", "_"))
    file = _endpoint_key_path(project_id, name)
    return said or (file.read_text().strip() if file.is_file() else None)


def keep_endpoint_key(project_id: int, name: str, key: str) -> None:
    """Keep a key in the project; one of the same name is replaced."""
    path = _endpoint_key_path(project_id, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # mode 0600
        file.write(key.strip().encode())
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
    sync_folder(path.parent)


def _endpoint_key_path(project_id: int, name: str) -> Path:
    return secret_path(project_id, f"endpoint-{name}")
