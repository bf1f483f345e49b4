import pytest

from brewslm.pipeline.execute import call
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import TrainRequest
from tests.stages.train.small import SMALL
from tests.synthetic import add_rows, reviews


@pytest.fixture
def prepared(project):
    """A project with 24 rows to train on, 8 in dev and 40 held out."""
    add_rows(project, reviews(72))
    call("test", PrepareRequest(project=project, train_rows=24, dev_rows=8, eval_rows=40))
    return project


@pytest.fixture
def request_for(prepared, tiny_model):
    def made(**changes):
        settings = SMALL | changes.pop("settings", {})
        return TrainRequest(project=prepared, base_model=f"path:{tiny_model}", settings=settings, fail_open=True, **changes)

    return made
