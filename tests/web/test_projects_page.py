import pytest

from brewslm.api.uploads import uploads_folder
from brewslm.observe.projects import projects
from brewslm.observe.tasks import tasks
from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import reading
from brewslm.store.tables import AuditEntry
from brewslm.web import projects as page
from tests.web.test_overview_page import links

pytestmark = pytest.mark.anyio
FILE = """contract_version: slm.project/v1
project: {name: from a file}
sources:
  - {locator: "sample:movie-reviews", mapper: label_to_classification, field_map: {text: text, label: label}}
"""


def tell(user, css: str, event: str, value: object) -> None:
    """What the browser tells of the element with this class or id."""
    with user:
        found = next(one for one in user.client.elements.values() if css in one.classes or one.props.get("id") == css)
        for listener in found._event_listeners.values():
            if listener.type.partition(".")[0] == event:
                found._handle_event({"listener_id": listener.id, "args": value})


async def test_an_empty_home_says_so_in_one_sentence_and_offers_one_action(user):
    await user.open("/")
    await user.should_see("There is no project yet")
    await user.should_see("Create project")


async def test_a_project_begins_with_a_goal_a_base_model_that_can_learn_it_and_a_name(user):
    await user.open("/")
    await user.should_see("SmolLM2-135M-Instruct · 135 M parameters · from a package")
    tell(user, "radios", "change", "audio_transcript")
    await user.should_see("A recording's path, and its transcript.")
    await user.should_not_see("SmolLM2-135M-Instruct · 135 M parameters · from a package")
    tell(user, "base-model", "change", "made:speech-ctc-small")
    tell(user, "project-name", "change", "reviews")
    user.find("Create project").click()
    await user.should_see("Import dataset (auto-mapping)")
    [made] = projects()
    assert made.name == "reviews" and made.base_model == "made:speech-ctc-small"
    assert user.back_history[-1] == "/projects/1/data?new=1"
    with reading() as session:
        assert [entry.actor for entry in session.query(AuditEntry)] == ["page"]


async def test_a_name_that_is_taken_or_missing_is_refused_beside_the_field(user, project):
    await user.open("/?new=goal")
    user.find("Create project").click()
    await user.should_see("A project needs a name.")
    tell(user, "project-name", "keydown", "a project")
    await user.should_see("run_conflict")
    await user.should_see("the name is taken")
    await user.should_not_see("A project needs a name.")
    assert len(projects()) == 1


async def test_the_list_says_where_each_project_stands_a_page_at_a_time(user, walk, monkeypatch):
    monkeypatch.setattr(page, "PAGE", 2)
    walk.imported()
    for name in ("<b>another</b>", "third"):
        call("test", CreateRequest(name=name))
    await user.open("/")
    await user.should_see("the project has no rows yet")
    await user.should_see("<b>another</b>")  # text, not markup
    await user.should_see("1–2 of 3")
    await user.should_not_see("04 Commit")
    assert links(user)["Older"] == "/?page=2"
    await user.open("/?page=2")
    await user.should_see("04 Commit")
    await user.should_see("60 rows wait to be split")


def uploaded(text: str) -> str:
    path = uploads_folder() / "1" / "brewslm.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return str(path.relative_to(uploads_folder()))


async def test_a_file_with_faults_is_told_line_by_line_and_does_nothing(user):
    path = uploaded(FILE.replace("project:", "projct:"))
    await user.open("/?new=file")
    tell(user, "file-input", "kept", {"path": path, "name": "brewslm.yaml", "size_bytes": 9})
    await user.should_see("The file can't be applied")
    await user.should_see("line 2, column 1")
    await user.should_see("projct")
    assert projects() == []


async def test_a_file_is_held_against_the_project_of_its_name_and_applied(user):
    path = uploaded(FILE)
    await user.open("/?new=file")
    tell(user, "file-input", "kept", {"path": path, "name": "brewslm.yaml", "size_bytes": 9})
    await user.should_see("from a file is not there yet")
    await user.should_see("map.commit sample:movie-reviews")
    assert projects() == []
    user.find("Create project and do").click()
    await user.should_see("0 of 11 stages done")
    [run] = tasks(1, operation="project.apply")
    assert run.state == "queued" and run.actor == "page"


async def test_a_file_changes_a_project_that_is_there_only_after_a_second_click(user):
    call("test", CreateRequest(name="from a file"))
    path = uploaded(FILE)
    await user.open("/?new=file")
    tell(user, "file-input", "kept", {"path": path, "name": "brewslm.yaml", "size_bytes": 9})
    await user.should_see("is there already")
    await user.should_see("map.commit sample:movie-reviews")
    user.find("Apply 1 part").click()
    await user.should_see("These are done, in this order: map.commit sample:movie-reviews.")
    assert tasks(1, operation="project.apply") == []
    user.find("Apply now").click()
    await user.should_see("0 of 11 stages done")
    assert len(tasks(1, operation="project.apply")) == 1
