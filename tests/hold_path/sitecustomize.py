"""Python reads this file when it starts with this folder on its path: work stops where a test wants to kill it or to look at it.

BREWSLM_TEST_HOLD is a unit, how many of them are done, and a file: whoever tells that progress first makes the file, and waits
until there is one more, with ".go" at its end. Whoever comes after him goes on.
"""

import os
import time
from pathlib import Path

from brewslm.processes.context import ChildContext, DirectContext

where, at, file = os.environ["BREWSLM_TEST_HOLD"].split(":", 2)


def holding(progress):
    def told(context, done, total, unit, **figures):
        held = unit == where and done >= int(at) and _first()
        progress(context, done, total, unit, **figures)
        while held and not Path(f"{file}.go").exists():
            time.sleep(0.02)

    return told


def _first():
    try:
        Path(file).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


for one in (ChildContext, DirectContext):
    one.progress = holding(one.progress)
