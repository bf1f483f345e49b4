"""A version that a request runs on is known to be in use, whoever asks, until the last request's process lets go."""

import subprocess
import sys

from brewslm.serving.traffic import in_use, using


def test_a_version_is_in_use_while_any_request_runs_on_it(home):
    assert not in_use(1)
    with using(1):
        with using(1), using(2):
            assert in_use(1) and in_use(2)
        assert in_use(1) and not in_use(2)
    assert not in_use(1)


def test_a_gateway_that_is_killed_uses_nothing(home):
    code = "from brewslm.serving.traffic import using\nwith using(1):\n    print('on', flush=True)\n    input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"on\n"
        assert in_use(1)
        other.kill()
        other.wait()
        assert not in_use(1)
