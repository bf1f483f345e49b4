import re

import pytest

from brewslm.pipeline.lifecycle import OPERATIONS, STAGES, operation_for
from brewslm.stages.contract import Job, Request, Result


def test_the_eleven_stages_stand_in_the_order_of_the_page():
    assert [stage.number for stage in STAGES] == list(range(1, 12))
    assert len({stage.id for stage in STAGES}) == 11
    assert [stage.number for stage in STAGES if stage.optional] == [5, 11]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_each_operation_has_a_name_a_stage_and_its_types(operation):
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", operation.name) and re.fullmatch(r"[a-z]+", operation.kind)
    assert operation.stage in ("", *(stage.id for stage in STAGES))
    assert issubclass(operation.request, Request) and issubclass(operation.job, Job) and issubclass(operation.result, Result)
    assert operation.request.model_config["extra"] == "forbid"
    assert operation.run or operation.record or operation.compose
    assert bool(operation.resolve) == bool(operation.run)
    if operation.run:  # what goes to a child and comes back must be of its own type
        assert operation.job is not Job


def test_each_operation_has_its_own_name_and_its_own_request_type():
    assert all(name == operation.name for name, operation in OPERATIONS.items())
    requests = [operation.request for operation in OPERATIONS.values()]
    assert len(set(requests)) == len(requests)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_request_finds_its_operation(operation):
    assert operation_for(operation.request.model_construct()) is operation
