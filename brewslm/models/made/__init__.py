"""`made:<name>`: small models that were never trained, made on the spot from a seed: for pictures and speech without a hub.

A made model knows nothing. It learns from the rows alone, which suffices for narrow tasks (digits, fixed commands, short
captions), and shows on any machine what the same code does with a model of the hub.
"""

import subprocess
import sys
from pathlib import Path

from brewslm.errors import StageError
from brewslm.models.made.sizes import MADE
from brewslm.reasons.refusals import BaseModelNotFound
from brewslm.settings import settings
from brewslm.store.files import new_folder
from brewslm.store.locks import lock

MAKERS_VERSION = 1
"""To be raised when a maker makes another model: what was made before is then made anew."""


def made_folder(name: str) -> Path:
    """The folder of a made model, made now if need be: in a process of its own, so that a server need not load torch.

    Args:
        name: One of MADE.

    Raises:
        StageError(BaseModelNotFound): It could not be made.
    """
    folder = settings().cache / "models" / "made" / f"{name}-{MAKERS_VERSION}"
    with lock(folder.with_suffix(".lock")):
        if not folder.exists():
            with new_folder(folder) as filling:
                _make(name, filling)
    return folder


def _make(name: str, folder: Path) -> None:
    command = [sys.executable, "-m", "brewslm.models.made.make", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise StageError(BaseModelNotFound(), f"made:{name} could not be made", cause=said[:200])


__all__ = ["MADE", "made_folder"]
