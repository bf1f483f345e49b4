"""A project has a base model from its creation, and can be given another."""

import pytest

from brewslm.observe.projects import project_view
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.projects import ChangeRequest, CreateRequest
from tests.tiny import make_tiny_base


def refused(request):
    with pytest.raises(RunFailed) as failed:
        call("test", request)
    return failed.value.error.reason.code


def test_a_project_has_the_base_model_it_was_made_for_and_can_be_given_another(tiny_base, tmp_path):
    own = make_tiny_base(tmp_path / "own")
    first = call("test", CreateRequest(name="first")).project
    second = call("test", CreateRequest(name="second", base_model=f"path:{own}")).project
    assert [project_view(one).base_model for one in (first, second)] == [f"path:{tiny_base}", f"path:{own}"]
    changed = call("test", ChangeRequest(project=first, base_model=f"path:{own}")).result
    assert changed == {"base_model": f"path:{own}", "former_base_model": f"path:{tiny_base}"}
    assert project_view(first).base_model == f"path:{own}"


@pytest.mark.parametrize("locator", ["pypi:nothing", "path:/nowhere", "path:", "ftp:model", "smollm2"])
def test_a_base_model_that_is_not_there_is_refused_and_nothing_changes(locator, project):
    before = project_view(project)
    assert refused(CreateRequest(name="another", base_model=locator)) == "base_model_not_found"
    assert refused(ChangeRequest(project=project, base_model=locator)) == "base_model_not_found"
    assert project_view(project) == before
    assert call("test", CreateRequest(name="another")).project == project + 1
