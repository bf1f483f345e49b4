import pytest

from brewslm.observe.gold import gold_rows, gold_set
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest
from tests.web.test_data_page import native, perform, press

pytestmark = pytest.mark.anyio


async def test_rows_are_reviewed_by_key_and_by_label_and_an_unreviewed_set_is_not_locked(user, walk):
    walk.imported()
    walk.prepared()
    call("test", GoldDraftRequest(project=walk.project, name="support"))
    call("test", GoldImportRequest(project=walk.project, name="support", rows=4))
    await user.open(f"/projects/{walk.project}/gold?review=support&reviewer=ann")
    await user.should_see("1 of 4 that wait")
    press(user, "Accept")
    await user.should_see("1 of 3 that wait")
    press(user, "negative")
    await user.should_see("1 of 2 that wait")
    press(user, "Skip")
    await user.should_see("2 of 2 that wait")
    press(user, "Reject")
    await user.should_see("1 of 1 that wait")
    assert gold_set(walk.project, "support").reviewers == {"ann": 3}
    assert len(gold_rows(walk.project, "support", reviewer="ann")) == 1
    press(user, "Review support@1")
    await user.should_see("Your name")
    native(user, "input", id="reviewer")[0].trigger("change", " ")
    press(user, "Begin")
    await user.should_see("A review needs the reviewer's name.")
    press(user, "Not now")
    press(user, "Lock support@1")
    await user.should_see("State of support@1: draft → locked.")
    press(user, "Lock support@1 now")
    await user.should_see("gold.lock")
    with pytest.raises(RunFailed):
        await perform("gold-6")
    await user.should_see("Next: ")
    assert gold_set(walk.project, "support").state == "draft"


async def test_a_project_without_a_set_says_so(user, project):
    await user.open(f"/projects/{project}/gold")
    await user.should_see("There is no gold set yet")
    press(user, "Open a draft")
    await user.should_see("It has letters that can't stand here.")
    (blamed,) = native(user, "input", **{"aria-invalid": "true"})
    assert next(iter(blamed.elements)).props["id"] == "name"
