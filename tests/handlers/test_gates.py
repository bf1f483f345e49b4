"""What gates say, and what they can't say; and how often they are wrong."""

import numpy as np
import pytest

from brewslm.handlers.base import Scores
from brewslm.handlers.eval_pack import Gate, load_eval_pack
from brewslm.handlers.gates import judge, judge_all, promotable
from brewslm.metrics.figure import mean, share
from brewslm.metrics.intervals import wilson
from brewslm.rows.manifest import PreparedRow
from tests.packs import write_pack

DRAWS, ROWS = 1000, 300


def gate(**fields):
    given = {"gate_id": "g", "metric_id": "accuracy", "operator": "gte"} | fields
    return Gate(**given)


def right(count, n=400):
    """Scores of a system that has `count` of n rows right, its first ones."""
    answers = [place < count for place in range(n)]
    return Scores.of({"accuracy": share(answers)}, answers)


def said(made, tuned, confidence=0.975, **others):
    found = judge(made, confidence, tuned, others)
    return found.met, found.undecidable


def test_a_gate_is_met_when_the_bound_lies_beyond_the_threshold():
    tuned = right(360)  # 0.90: 0.867 to 0.926
    assert said(gate(threshold=0.8), tuned) == (True, False)
    assert said(gate(threshold=0.95), tuned) == (False, False)
    assert said(gate(operator="lte", threshold=0.95), tuned) == (True, False)
    assert said(gate(operator="lte", threshold=0.8), tuned) == (False, False)


def test_a_threshold_inside_the_interval_can_not_be_decided():
    assert said(gate(threshold=0.89), right(360)) == (False, True)
    assert said(gate(operator="lte", threshold=0.91), right(360)) == (False, True)


def test_less_confidence_clears_more():
    assert said(gate(threshold=0.87), right(360), 0.975) == (False, True)
    assert said(gate(threshold=0.87), right(360), 0.95) == (True, False)
    assert said(gate(threshold=0.9), right(360), 0.5) == (True, False)  # of no confidence: the figure itself
    assert said(gate(threshold=0.901), right(360), 0.5) == (False, False)


def test_everything_behind_the_answer_is_told():
    found = judge(gate(threshold=0.8), 0.95, right(360), {})
    assert (found.value, found.n, found.confidence) == (0.9, 400, 0.95)
    assert (found.low, found.high) == wilson(360, 400, 0.9) and found.interval_confidence == pytest.approx(0.9)
    found = judge(gate(better_than="base", margin=0.01), 0.95, right(360), {"base": right(320)})
    assert (found.compared_with, found.value, found.other, found.n) == ("base", 0.9, 0.8, 400)
    assert 0 < found.low < 0.1 < found.high and found.p_value == pytest.approx(2.0**-40)


def test_better_than_another_is_tested_on_the_same_rows_and_equal_is_no_gain():
    assert said(gate(better_than="base"), right(360), base=right(340)) == (True, False)
    assert said(gate(better_than="base"), right(360), base=right(358)) == (False, True)
    assert said(gate(better_than="base"), right(360), base=right(360)) == (False, True)
    assert said(gate(better_than="base"), right(340), base=right(360)) == (False, False)
    assert said(gate(better_than="base", margin=0.1), right(360), base=right(340)) == (False, False)
    assert said(gate(operator="lte", better_than="base"), right(340), base=right(360)) == (True, False)


def test_three_rows_are_no_proof():
    assert said(gate(better_than="base"), right(3, 3), 0.95, base=right(0, 3)) == (False, True)
    assert said(gate(better_than="base"), right(5, 5), 0.95, base=right(0, 5)) == (True, False)  # 2 ** -5


def test_no_worse_than_another_allows_for_the_margin_and_no_more():
    assert said(gate(no_worse_than="base", margin=0.02), right(360), base=right(360)) == (True, False)
    assert said(gate(no_worse_than="base", margin=0.02), right(358), base=right(360)) == (True, False)
    assert said(gate(no_worse_than="base", margin=0.02), right(352), base=right(360)) == (False, True)
    assert said(gate(no_worse_than="base", margin=0.02), right(300), base=right(360)) == (False, False)
    assert said(gate(no_worse_than="base", margin=0.02), right(36, 40), base=right(36, 40)) == (False, True)  # too few rows
    assert said(gate(operator="lte", no_worse_than="base", margin=0.02), right(362), base=right(360)) == (True, False)


def test_baseline_is_whichever_other_system_did_best():
    others = {"base": right(300), "majority": right(200), "tfidf_logreg": right(350)}
    found = judge(gate(no_worse_than="baseline"), 0.95, right(390), others)
    assert (found.compared_with, found.met) == ("tfidf_logreg", True)
    assert judge(gate(operator="lte", no_worse_than="baseline"), 0.95, right(190), others).compared_with == "majority"


def test_what_is_missing_leaves_the_gate_unmet_and_says_why():
    empty = [False] * 400
    causes = [
        judge(gate(metric_id="acc", threshold=0.0), 0.95, right(400), {}),  # neither an alias nor a part of a name
        judge(gate(metric_id="accurac", threshold=0.0), 0.95, right(400), {}),
        judge(gate(better_than="nobody"), 0.95, right(400), {"base": right(1)}),
        judge(gate(better_than="baseline"), 0.95, right(400), {}),
        judge(gate(metric_id="recall", class_id="yes", threshold=0.0), 0.95, right(400), {}),
        judge(gate(threshold=0.0), 0.95, right(400), {}, empty),
    ]
    assert [(one.met, one.undecidable, one.cause) for one in causes] == [
        (False, False, cause)
        for cause in ("metric_missing", "metric_missing", "system_missing", "system_missing", "class_missing", "slice_empty")
    ]


def test_a_slice_and_a_class_are_judged_by_their_own_rows(tmp_path):
    rows = [PreparedRow(row_id=str(n), payload={"text": "w " * (1 + n % 2 * 9), "label": "no"}) for n in range(200)]
    answers = [n % 2 == 0 for n in range(200)]  # only short texts are right
    scores = Scores.of({"accuracy": share(answers)}, answers, by_class={"yes": {"recall": share(answers, answers)}})
    pack = load_eval_pack(
        write_pack(
            tmp_path,
            {"gate_id": "all", "metric_id": "accuracy", "operator": "gte", "threshold": 0.9},
            {"gate_id": "short", "metric_id": "accuracy", "operator": "gte", "threshold": 0.9, "slice_id": "short"},
            {"gate_id": "yes", "metric_id": "recall", "operator": "gte", "threshold": 0.9, "class_id": "yes"},
            {"gate_id": "no", "metric_id": "recall", "operator": "gte", "threshold": 0.9, "class_id": "no", "required": False},
            spec={"slices": [{"slice_id": "short", "field": "text", "max_words": 5}]},
        )
    )
    found = judge_all(pack, pack.spec("classification"), rows, scores, {})
    assert [(one.met, one.n, one.cause) for one in found] == [
        (False, 200, None), (True, 100, None), (True, 100, None), (False, 0, "class_missing"),
    ]  # fmt: skip
    assert not promotable(found) and promotable(found[1:])  # an optional gate does not decide


def counted(answers):
    """Scores with the figure alone: a thousand need no intervals to show."""
    return Scores(metrics={}, row_correct=[], figures={"accuracy": share(answers)})


def passing(made, confidence, draw):
    return sum(judge(made, confidence, *draw()).met for _ in range(DRAWS)) / DRAWS


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
def test_of_a_thousand_draws_few_that_should_not_pass_do_and_most_that_should(threshold):
    chance = np.random.default_rng(11)

    def draw(truth):
        return counted(chance.random(ROWS) < truth), {}

    made = gate(threshold=threshold, confidence=0.95)
    assert passing(made, 0.95, lambda: draw(threshold - 0.02)) <= 0.05
    assert passing(made, 0.95, lambda: draw(threshold)) <= 0.06  # not under it, but at it
    assert passing(made, 0.95, lambda: draw(threshold + 0.08)) >= 0.80


def test_of_a_thousand_draws_few_show_a_gain_that_is_none_or_hide_a_loss():
    chance = np.random.default_rng(12)

    def compared(won, lost):
        kinds = chance.random(ROWS)
        return counted(kinds < 0.6 + won), {"base": counted((kinds < 0.6) | (kinds >= 1 - lost))}

    better, no_worse = gate(better_than="base"), gate(no_worse_than="base", margin=0.03)
    assert passing(better, 0.95, lambda: compared(0.08, 0.08)) <= 0.05
    assert passing(better, 0.95, lambda: compared(0.13, 0.05)) >= 0.80
    assert passing(no_worse, 0.95, lambda: compared(0.05, 0.08)) <= 0.06  # 3 points behind: just at the margin
    assert passing(no_worse, 0.95, lambda: compared(0.06, 0.03)) >= 0.80


def test_resampled_figures_are_held_to_their_confidence_too():
    chance, passed = np.random.default_rng(13), 0
    made = gate(metric_id="f1", threshold=2 / 3)
    for _ in range(150):  # a resampled interval takes longer
        scores = Scores(metrics={}, row_correct=[], figures={"f1": mean(chance.beta(2, 1, ROWS))})
        passed += judge(made, 0.95, scores, {}).met
    assert passed / 150 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 150)
