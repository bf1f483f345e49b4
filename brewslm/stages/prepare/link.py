"""prepared/manifest.json and the files beside it: links to the version in use."""

import os
from pathlib import Path

from brewslm.store.files import sync_folder

FILES = ("manifest.json", "train.jsonl", "eval.jsonl", "README.md")


def point_at(prepared: Path, version: int) -> None:
    """Make each link point into this version's folder, each switched in one step."""
    for name in FILES:
        temporary = prepared / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(f"v{version}") / name)
        temporary.replace(prepared / name)
    sync_folder(prepared)
