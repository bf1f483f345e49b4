import os
from pathlib import Path

import pytest

from brewslm.pipeline import lifecycle
from tests import probe


@pytest.fixture
def probes(monkeypatch):
    """The two tiny operations, known here and in the children of this test."""
    for operation in probe.operations():
        monkeypatch.setitem(lifecycle.OPERATIONS, operation.name, operation)
        monkeypatch.setitem(lifecycle._BY_REQUEST, operation.request, operation)
    monkeypatch.setenv("PYTHONPATH", f"{probe.PROBE_PATH}{os.pathsep}{Path(probe.__file__).parents[1]}")
