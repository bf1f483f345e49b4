import pytest
from nicegui import ui

from brewslm.observe.projects import projects
from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import reading
from brewslm.store.tables import AuditEntry

pytestmark = pytest.mark.anyio


async def test_an_empty_home_says_so_in_one_sentence_and_offers_one_action(user):
    await user.open("/")
    await user.should_see("There is no project yet")
    await user.should_see("Create project")


async def test_a_project_is_created_and_opened(user):
    await user.open("/")
    user.find(kind=ui.input).type("reviews")
    user.find("Create project").click()
    await user.should_see("0 of 11 stages done")
    assert [one.name for one in projects()] == ["reviews"] and user.back_history[-1] == "/projects/1"
    with reading() as session:
        assert [entry.actor for entry in session.query(AuditEntry)] == ["page"]


async def test_a_name_that_is_taken_or_missing_is_refused_beside_the_field(user, project):
    await user.open("/")
    user.find("Create project").click()
    await user.should_see("A project needs a name.")
    user.find(kind=ui.input).type("a project")
    user.find("Create project").click()
    await user.should_see("run_conflict")
    await user.should_see("the name is taken")
    await user.should_not_see("A project needs a name.")
    assert len(projects()) == 1


async def test_the_list_says_where_each_project_stands(user, walk):
    walk.imported()
    call("test", CreateRequest(name="<b>another</b>"))
    await user.open("/")
    await user.should_see("04 Commit")
    await user.should_see("Next: the project has no rows yet")
    await user.should_see("<b>another</b>")  # text, not markup
    await user.should_see("not begun")
