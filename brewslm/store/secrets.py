"""Secrets of a project: files that only this user may read, and that go into no bundle and no job."""

import os
import secrets
import tempfile
from pathlib import Path

from brewslm.store.files import project_folder, sync_folder

KEY_BYTES = 32


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
