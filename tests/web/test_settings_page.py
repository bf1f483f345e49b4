import pytest

from brewslm.observe.projects import project_view
from brewslm.pipeline.keys import keep_key
from tests.web.test_projects_page import tell

pytestmark = pytest.mark.anyio


async def test_settings_machine_and_workers_are_shown(user, home):
    await user.open("/settings")
    await user.should_see("BREWSLM_HOME")
    await user.should_see(str(home))
    await user.should_see("No worker is at work")
    await user.should_see("vllm")


async def test_the_base_model_is_changed_after_a_second_click_and_keys_are_named_only(user, project):
    keep_key("test", project, "azure", "sk-secret")
    before = project_view(project).base_model
    await user.open(f"/settings?project={project}")
    await user.should_see("azure")
    await user.should_not_see("sk-secret")
    user.find("Change the base model").click()
    await user.should_see("This is its base model already")
    tell(user, "base-model", "change", "made:vision-small")
    user.find("Change the base model").click()
    await user.should_see(f"{before} → made:vision-small")
    assert project_view(project).base_model == before
    user.find("Change it now").click()
    await user.should_see("made:vision-small is the base model now.")
    assert project_view(project).base_model == "made:vision-small"
