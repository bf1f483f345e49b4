"""Peers of the benches, each in a folder of its own: what they need otherwise is what we have, in the same versions."""

import subprocess
from pathlib import Path


def installed(package: str, version: str) -> Path:
    """The folder to put on PYTHONPATH; the package is fetched when it is first asked for.

    Raises:
        CalledProcessError: It could not be fetched.
    """
    from uv import find_uv_bin

    from brewslm.settings import settings

    folder = settings().cache / "toolchains" / f"{package}-{version}"
    if not (folder / package.replace("-", "_")).exists():
        install = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"{package}=={version}"]
        subprocess.run(install, check=True)
    return folder
