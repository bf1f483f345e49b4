"""What is written down of a live server is believed while it is true, at whatever moment somebody looks."""

import pytest

from brewslm.serving import endpoints, locate
from brewslm.serving.endpoints import endpoint_file, endpoint_lock
from brewslm.serving.supervisor import Supervisor
from brewslm.store.files import write_json
from brewslm.store.locks import lock
from tests.experiments import bare_export
from tests.serving.odd import version


@pytest.fixture
def left(project, tiny_base):
    """A version whose endpoint somebody wrote down who was killed since; its export has no files."""
    number = version(bare_export(project, tiny_base), 1)
    write_json(endpoint_file(number), {"base_url": "http://127.0.0.1:9/v1", "model": "old", "pid": 1})
    return number


def test_it_is_not_believed_while_the_next_supervisor_starts_a_server(left):
    made = Supervisor()
    try:
        made.reconcile()
        assert left in made._served and locate(left) is None
    finally:
        made.stop()


def test_one_that_is_taken_away_while_somebody_looks_is_none(left, monkeypatch):
    def looked(path):
        endpoint_file(left).unlink()
        return True

    monkeypatch.setattr(endpoints, "is_held", looked)
    with lock(endpoint_lock(left)):
        assert locate(left) is None
