"""Whether memory was short in this process, for errors that don't say so themselves."""

import resource
from pathlib import Path

import psutil

NEAR = 0.9
"""Of a limit on the address space: a process that came so near it may well have been refused the rest."""
LEFT = 0.05
"""Of the machine's memory: with less of it available, what could not be had was memory."""


def memory_was_short() -> bool:
    """Its address space has come near its limit (Linux), or the machine has next to nothing left."""
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY and _peak_bytes() > NEAR * most:
        return True
    memory = psutil.virtual_memory()
    return bool(memory.available < LEFT * memory.total)


def _peak_bytes() -> int:
    """The most that this process ever mapped; 0 where nothing says so."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak")), 0)
