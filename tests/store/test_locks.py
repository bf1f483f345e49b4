import fcntl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from brewslm.store.locks import Held, is_held, lock
from tests.running import PATIENCE_SECONDS

HOLD = """
import sys
from pathlib import Path
from brewslm.store.locks import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock until it is killed."""
    path = tmp_path / "locks" / "one"
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.communicate()


def test_a_lock_of_another_process_is_seen_and_refused(holder):
    path, _ = holder
    assert is_held(path)
    with pytest.raises(Held), lock(path, wait=False):
        pass


def test_the_kernel_frees_the_lock_of_a_killed_process(holder):
    path, process = holder
    process.kill()
    process.wait()
    assert not is_held(path)
    with lock(path, wait=False):
        assert is_held(path)


def test_an_error_in_the_block_frees_the_lock_and_looking_takes_nothing(tmp_path):
    path = tmp_path / "one"
    assert not is_held(path)
    with pytest.raises(RuntimeError), lock(path):
        raise RuntimeError
    assert not is_held(path)


def test_two_that_only_look_do_not_see_each_other(tmp_path):
    path = tmp_path / "one"
    with lock(path):
        pass
    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)  # as `is_held` does for a moment
        assert not is_held(path)


def test_one_that_only_looks_is_no_holder_however_long_its_process_is_kept_waiting(tmp_path):
    path = tmp_path / "one"
    with lock(path):
        pass

    def taken():
        with lock(path, wait=False):
            return is_held(path)

    with ThreadPoolExecutor(1) as pool, path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        taking = pool.submit(taken)
        with pytest.raises(TimeoutError):
            taking.result(0.3)
        fcntl.flock(looking, fcntl.LOCK_UN)
        assert taking.result(PATIENCE_SECONDS)
