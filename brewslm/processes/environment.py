"""What a run ran on: versions and machine, kept with it, so that two runs can be held against each other."""

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import brewslm

FILE = "environment.json"
"""In a run's folder."""
LIBRARIES = (
    "torch", "transformers", "peft", "accelerate", "trl", "tokenizers", "numpy", "pyarrow", "pydantic", "sqlalchemy",
    "llama-cpp-python", "xllamacpp",
)  # fmt: skip


@cache
def ran_on() -> dict[str, str]:
    """Name → version, of ours and of the libraries that do the work, and the machine in a few words: no path, no host's name."""
    found = {"brewslm": brewslm.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{platform.system()} {platform.release()} {platform.machine()}"
    return found | {"machine": machine, "cores": str(os.cpu_count()), "memory": f"{memory:.1f} GB"}
