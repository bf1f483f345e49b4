"""What a form can't use stands at its field, in words; what was typed stays, and the form can be sent again."""

import pytest
from nicegui.testing import User

from brewslm.api.uploads import uploads_folder
from brewslm.observe.predict import HowAsked
from brewslm.observe.projects import project_view
from brewslm.observe.tasks import tasks
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.project_file.text import MOST_BYTES
from brewslm.stages.documents import AddRequest
from brewslm.web.talk_form import LAST, NOTHING, TalkForm
from tests.web.test_data_page import native, perform, press, upload
from tests.web.test_projects_page import FILE, tell

pytestmark = pytest.mark.anyio


def at(user: User, control: str) -> str:
    """What is said of a control of this id, by the elements that describe it."""
    (made,) = [one for one in user.client.elements.values() if one.props.get("id") == control]
    if made.props.get("aria-invalid") != "true":
        return ""
    described = made.props["aria-describedby"].split()
    said = [one.text for one in user.client.elements.values() if one.props.get("id") in described and one.visible]
    return next(text for text in said if text)


async def test_rules_of_cleaning_that_there_are_not_are_told_at_their_field(user, project, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Sir, we shall answer within a week. Please write to us about it once more.")
    call("test", AddRequest(project=project, paths=[str(tmp_path / "letter.txt")]))
    await user.open(f"/projects/{project}/cleaning")
    native(user, "select", id="preset")[0].trigger("change", "harsh")
    native(user, "select", id="pii")[0].trigger("change", "shout")
    press(user, "Clean 1 document")
    assert at(user, "preset") == "It is 'documents' or 'web'." and at(user, "pii").startswith("It is 'redact'")
    native(user, "select", id="preset")[0].trigger("change", "web")
    native(user, "select", id="pii")[0].trigger("change", "block")
    press(user, "Clean 1 document")
    await user.should_see("Clean them now?")
    assert at(user, "preset") == at(user, "pii") == ""


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [("empty.txt", [b""], "Choose a document that holds text."), ("tool.exe", [b"MZ\x90\x00\x03\x00\x00\x00" * 40], "tool.exe")],
)
async def test_a_document_that_can_not_be_read_is_told_under_its_field_with_the_next_step(user, project, name, lines, said):
    await user.open(f"/projects/{project}/cleaning")
    await upload(user, lines, name)
    await user.should_see("documents.add")
    with pytest.raises(RunFailed):
        await perform(tasks(project, operation="documents.add")[0].task_id)
    for seen in ("the documents were not added", said, "Next: "):
        await user.should_see(seen)
    assert native(user, "input", type="file")  # another can be chosen


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with contract_version"), (b"\xff\xfe\x00", "it is no UTF-8 text"), (b"project: [", "it is no YAML"),
        (b"project: &x {name: a}", "an anchor (&) is not read"), ("\u00e4".encode() * MOST_BYTES, "it is larger than 256 KiB"),
        (FILE.replace("sample:movie-reviews", "csv:/etc/passwd").encode(), "line 4"), (b"version: 1", "there is no key version"),
    ],
)  # fmt: skip
async def test_a_project_file_that_is_none_is_told_and_another_can_be_chosen(user, home, content, said):
    path = uploads_folder() / "1" / "brewslm.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    await user.open("/?new=file")
    tell(user, "file-input", "kept", {"path": "1/brewslm.yaml", "name": "brewslm.yaml", "size_bytes": len(content)})
    await user.should_see(said)
    path.write_text("contract_version: slm.project/v1\nproject: {name: mended}\n")
    tell(user, "file-input", "kept", {"path": "1/brewslm.yaml", "name": "brewslm.yaml", "size_bytes": 9})
    await user.should_see("mended is not there yet")


async def test_an_upload_that_is_gone_is_told(user, home):
    await user.open("/?new=file")
    tell(user, "file-input", "kept", {"path": "9/brewslm.yaml", "name": "brewslm.yaml", "size_bytes": 9})
    await user.should_see("No such file")
    await user.should_see("Next: ")


async def test_a_base_model_that_there_is_not_is_told_at_its_field_and_nothing_changes(user, project):
    before = project_view(project).base_model
    await user.open(f"/settings?project={project}")
    user.find("Change the base model").click()
    assert at(user, "base-model") == "This is its base model already: choose another."
    tell(user, "base-model", "change", "made:nothing-small")
    assert at(user, "base-model") == ""
    user.find("Change the base model").click()
    user.find("Change it now").click()
    await user.should_see("Next: ")
    assert "made:nothing-small" in at(user, "base-model") and project_view(project).base_model == before


async def nothing() -> None:
    """Nobody is asked here."""


def how(task_profile: str, media: str | None = None) -> HowAsked:
    return HowAsked(task_profile=task_profile, input_field=media or "text", also_asked=[], media=media, labels=[])


async def test_a_talk_ends_with_a_message_that_can_be_answered(user, project):
    await user.open("/")
    with user:
        form = TalkForm(how("chat_sft"), nothing)
    assert form.asked() == {} and at(user, "message-0") == NOTHING
    native(user, "textarea", id="message-0")[0].trigger("input", "Hello")
    assert form.asked() == {"messages": [{"role": "user", "content": "Hello"}]} and at(user, "message-0") == ""
    with user:
        form.go_on("Good day.")
    native(user, "textarea", id="message-1")[0].trigger("input", "Good day!")
    native(user, "select")[2].trigger("change", "system")
    native(user, "textarea", id="message-2")[0].trigger("input", "Be brief.")
    assert form.asked() == {} and at(user, "message-2") == LAST


async def test_a_picture_is_to_be_chosen_first(user, project):
    await user.open("/")
    with user:
        form = TalkForm(how("vision_language_pair", "image"), nothing)
    assert form.asked() == {}
    await user.should_see("Choose the image first.")


async def test_a_page_that_can_not_be_shown_offers_itself_without_what_was_asked_for(user, project):
    answer = await user.http_client.get(f"/projects/{project}/export?export=export-9")
    assert answer.status_code == 404 and "This page as it is without what was asked for" in answer.text
    answer = await user.http_client.get("/projects/99")
    assert answer.status_code == 404 and "without what was asked for" not in answer.text
