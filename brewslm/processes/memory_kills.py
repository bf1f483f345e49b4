"""How many processes the kernel has killed for memory: in our own control group where it counts them, else on this machine."""

from collections.abc import Callable
from pathlib import Path

SYSTEM = Path("/")


def kill_counter(system: Path = SYSTEM) -> Callable[[], int]:
    """A function that says how many by now; always 0 where nothing counts them (not Linux).

    A child that we start is in our control group. The machine's own counter is the last resort: in a container it counts what
    other containers did too.

    Args:
        system: Where proc and sys are.
    """
    places = [*_group_files(system), system / "proc/vmstat"]
    counting = [file for file in places if _oom_kill(file) is not None]
    return lambda: (_oom_kill(counting[0]) if counting else None) or 0


def _group_files(system: Path) -> list[Path]:
    """Where the control group counts them: version 2 in memory.events, version 1 in memory.oom_control."""
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found.append(system / "sys/fs/cgroup/memory" / path.lstrip("/") / "memory.oom_control")
        elif not controllers:
            found.append(system / "sys/fs/cgroup" / path.lstrip("/") / "memory.events")
    return found


def _oom_kill(file: Path) -> int | None:
    """The file's line `oom_kill N`; None where there is no such file or line."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
