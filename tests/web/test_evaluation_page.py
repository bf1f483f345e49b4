import pytest
from nicegui import ui

from brewslm.observe.tasks import tasks
from brewslm.store.files import project_folder, write_json
from tests.web.test_data_page import native
from tests.web.test_runs_page import links
from tests.web.trainings import measured, press, trained

pytestmark = pytest.mark.anyio
CONFUSION = {"labels": ["negative", "positive"], "counts": [[4, 2], [1, 3]]}
ANALYSIS = {
    "system": "tuned", "n": 10, "wrong": 3,
    "clusters": [{
        "id": "c1", "name": "expected negative, predicted positive", "trait": None, "conditions": [], "by": "fault", "rows": 2,
        "outcome": {"kind": "fault", "fault": "confused", "subject": ["negative", "positive"]}, "share": 0.66, "holds": 1.0,
        "among_right": 0.0, "of_rows": 6, "sort": "expecting negative", "traits_tried": 3, "next_step": "Read these rows.",
        "exemplars": [], "row_ids": [],
    }],
}  # fmt: skip


@pytest.fixture
def evaluated(walk, card):
    """One evaluation of ten rows, four of them wrong, with a confusion matrix."""
    walk.imported()
    walk.prepared()
    tuned = card.systems["tuned"].model_copy(
        update={"details": {"confusion": CONFUSION, "per_class": {"negative": {"recall": 0.667, "support": 6}}}}
    )
    made = card.model_copy(update={"manifest_version": 1, "n": 10, "systems": card.systems | {"tuned": tuned}})
    rows = {row: place % 3 > 0 for place, row in enumerate(walk.ids["eval"])}
    evaluation = measured(walk, trained(walk, [["a"]]), made, rows)
    analysis = ANALYSIS | {
        "clusters": [ANALYSIS["clusters"][0] | {"row_ids": [row for row, right in rows.items() if not right][:2]}]
    }
    write_json(project_folder(walk.project) / "evaluations" / evaluation / "errors.json", analysis)
    return walk, evaluation, rows, made


def fill(user, name: str, value: str) -> None:
    native(user, "input", id=name)[0].trigger("change", value)


async def test_nothing_measured_leads_to_an_evaluation_of_what_was_trained(user, walk):
    await user.open(f"/projects/{walk.project}/evaluation")
    await user.should_see("No model was trained yet")
    walk.imported()
    walk.prepared()
    trained(walk, [["a"]])
    await user.open(f"/projects/{walk.project}/evaluation")
    await user.should_see("Evaluate exp-1")


async def test_the_newest_scorecard_says_why_each_gate_is_not_met_and_how_many_rows_would_do(user, evaluated):
    walk, evaluation, _, _ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation")
    for said in (
        "Gates of general",
        "keeps up",
        "undecided: too few rows to tell, optional",
        "There is nothing to hold against it",
        "66.7 % (30.0 – 90.3)",
    ):
        await user.should_see(said)
    found = links(user)
    assert found["exp-1"].endswith("/runs/exp-1") and f"evaluation={evaluation}" in found["Rows"]


async def test_a_cell_of_the_confusion_matrix_opens_its_rows(user, evaluated):
    walk, _, rows, _ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation")
    cell = links(user)["2 rows: expected negative, predicted positive"]
    await user.open(cell)
    wrong = [row for row, right in rows.items() if not right]
    await user.should_see(f"{len(wrong)} answers of tuned")
    assert all(links(user)[row] == f"/rows/{row}" for row in wrong)
    await user.should_see("reference")


async def test_a_cluster_opens_its_rows(user, evaluated):
    walk, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?tab=errors")
    await user.open(links(user)["Read its 2 rows"])
    await user.should_see("2 answers of tuned")
    await user.should_see("expected negative, predicted positive")


async def test_two_evaluations_are_compared_row_by_row(user, evaluated):
    walk, evaluation, rows, card = evaluated
    better = dict.fromkeys(rows, True)
    other = measured(walk, "exp-1", card, better)
    await user.open(f"/projects/{walk.project}/evaluation?evaluation={evaluation}&against={other}")
    wrong = [row for row, right in rows.items() if not right]
    for said in (f"{len(wrong)} changed", "p = 0.125: no difference that these rows can tell"):
        await user.should_see(said)
    assert set(wrong) <= set(links(user))
    await user.open(f"/projects/{walk.project}/evaluation?evaluation={evaluation}&against={other}&change=broken")
    await user.should_see("No row changed so.")


async def test_a_new_evaluation_is_queued_once_by_a_second_click(user, evaluated):
    walk, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?experiment=exp-1&target=checkpoint-2")
    press(user, "Evaluate")
    await user.should_see("Evaluate checkpoint-2?")
    assert tasks(walk.project, state="queued") == []
    user.find("Evaluate checkpoint-2 now").click()
    await user.should_see("eval-2")
    (queued,) = tasks(walk.project, state="queued")
    assert (queued.request["experiment"], queued.request["target"], queued.actor) == ("exp-1", "checkpoint-2", "page")


async def test_a_judge_is_named_with_what_is_sent_to_it_and_what_can_not_be_asked_is_said_at_its_field(user, evaluated):
    walk, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?experiment=exp-1")
    fill(user, "target", "path:/somewhere")
    press(user, "Evaluate")
    await user.should_see("A path can't be given here")
    fill(user, "target", "")
    fill(user, "judge-url", "judge.example")
    fill(user, "judge-model", "big")
    press(user, "Evaluate")
    await user.should_see("the judge's address begins with http:// or https:// and names a host")
    fill(user, "judge-url", "http://127.0.0.1:9/v1")
    fill(user, "judge-rows", "many")
    press(user, "Evaluate")
    await user.should_see("It is a whole number.")
    fill(user, "judge-rows", "40")
    press(user, "Evaluate")
    await user.should_see("Up to 40 held-out rows with their answers are sent to http://127.0.0.1:9/v1.")
    user.find("Evaluate exp-1 now").click()
    await user.should_see("eval-2")
    (queued,) = tasks(walk.project, state="queued")
    assert (queued.request["judge"]["model"], queued.request["judge"]["rows"]) == ("big", 40)


async def test_packs_are_shown_with_what_their_gates_ask(user, evaluated):
    walk, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?tab=packs&pack=fast")
    for said in ("Gates of Fast", "gain over base", "better than base", "no, for tries"):
        await user.should_see(said)


async def test_what_can_not_be_asked_for_is_said_in_words(user, evaluated):
    walk, evaluation, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?evaluation={evaluation}&against=eval-9")
    await user.should_see("unknown_run")


async def test_every_evaluation_is_listed(user, evaluated):
    walk, evaluation, *_ = evaluated
    await user.open(f"/projects/{walk.project}/evaluation?tab=all")
    await user.should_see("1 evaluation")
    with user:
        assert evaluation in {one.text for one in user.find(kind=ui.link).elements}
