"""Python reads this when it starts with this folder on its path: what a heavy child of a test maps is limited and measured."""

import os
import resource
import sys
from pathlib import Path


def _tell_peak_and_exit(code: int) -> None:
    """A child that has done its work leaves by this door."""
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in status if line.startswith("VmPeak"))
    Path(os.environ["CHILD_PEAK"]).write_text(peak)
    _exit(code)


if "brewslm.pipeline.child" in sys.orig_argv:
    if "CHILD_MAY_MAP" in os.environ:
        most = int(os.environ["CHILD_MAY_MAP"]) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    _exit = os._exit
    os._exit = _tell_peak_and_exit
