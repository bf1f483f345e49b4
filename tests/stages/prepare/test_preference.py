"""Pairs of answers as prepare splits them."""

from brewslm.pipeline.execute import call
from brewslm.rows.manifest import PreparedData
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.files import project_folder
from tests.synthetic import add_rows, own_words


def test_several_worse_answers_to_one_better_one_are_all_kept_and_stay_on_one_side(project):
    rows = [
        {"prompt": f"tell me of {own_words(n)}", "chosen": f"it is lovely {n}", "rejected": worse}
        for n in range(40)
        for worse in ("dull", "boring", "dull")
    ]
    add_rows(project, rows)
    made = call("test", PrepareRequest(project=project)).result
    assert made["ledger"]["rejected"] == {"duplicate_row": 40}, "the third says what the first said"
    data = PreparedData(project_folder(project) / made["path"], made["sha256"])
    sides = {}
    for split in ("train", "eval"):
        for row in data.rows(split):
            sides.setdefault(row.payload["prompt"], []).append(split)
    assert all(len(places) == 2 and len(set(places)) == 1 for places in sides.values()) and len(sides) == 40


def test_a_worse_answer_that_is_too_long_is_left_out_as_a_better_one_is(project):
    rows = [{"prompt": f"tell me of {own_words(n)}", "chosen": "lovely", "rejected": "dull"} for n in range(20)]
    rows[3]["rejected"] = rows[4]["chosen"] = "dull " * 600
    add_rows(project, rows)
    assert call("test", PrepareRequest(project=project)).result["ledger"]["rejected"] == {"over_length": 2}
