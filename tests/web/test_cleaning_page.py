import pytest

from brewslm.observe.document_text import document_text
from brewslm.observe.tasks import tasks
from brewslm.pipeline.execute import call
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from tests.stages.clean.cleaning import letter
from tests.web.test_data_page import native, press

pytestmark = pytest.mark.anyio
MAIL = "anna.smith@example.com"


@pytest.fixture
def cleaned(project, tmp_path) -> int:
    (tmp_path / "letter.md").write_text(f"{letter(1)}\n\nPlease write to {MAIL} about it, and we shall answer within a week.\n")
    (tmp_path / "tiny.txt").write_text("x")
    call("test", AddRequest(project=project, paths=[str(tmp_path / "letter.md"), str(tmp_path / "tiny.txt")]))
    call("test", CleanRequest(project=project))
    return project


async def test_what_was_found_is_marked_with_its_kind_and_the_data_itself_is_nowhere(user, cleaned):
    await user.open(f"/projects/{cleaned}/cleaning?document=1")
    await user.should_see("Data health")
    await user.should_not_see("Every row is read for it")  # its report comes after the page
    (mark,) = native(user, "mark")
    (element,) = mark.elements
    assert element.props["aria-label"].startswith("email")
    assert MAIL not in "".join(piece.text for piece in document_text(cleaned, 1).pieces)
    await user.should_not_see(MAIL, retries=1)
    await user.should_see("2 documents: 1 cleaned, 1 rejected")


async def test_documents_are_cleaned_anew_by_a_second_click(user, cleaned):
    await user.open(f"/projects/{cleaned}/cleaning")
    native(user, "select", id="pii")[0].trigger("change", "block")
    press(user, "Clean 2 documents")
    await user.should_see("2 documents are cleaned anew.")
    assert len(tasks(cleaned, operation="clean.run")) == 1
    press(user, "Clean 2 documents now")
    await user.should_see("clean-2")
    assert {run.request["pii"] for run in tasks(cleaned, operation="clean.run")} == {"redact", "block"}


async def test_without_a_document_the_page_says_so(user, project):
    await user.open(f"/projects/{project}/cleaning")
    await user.should_see("No document was added yet")
