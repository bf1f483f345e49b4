"""What a scorecard says that its rows can tell."""

import numpy as np
import pytest

from brewslm.handlers import handler_for
from brewslm.handlers.base import Scores
from brewslm.handlers.eval_pack import Gate, load_eval_pack
from brewslm.handlers.gates import judge
from brewslm.metrics import power
from brewslm.metrics.figure import mean, share
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.evaluate.verdict import told_apart, verdict

ROWS = 400


def scores(figure):
    return Scores(metrics={}, row_correct=[], figures={"f1": figure})


def pair(chance, ahead, disagreeing):
    """Two systems of which the first is truly ahead, right on other rows in so many cases."""
    kinds = chance.random(ROWS)
    won = (disagreeing + ahead) / 2
    both = kinds < 0.7
    tuned = both | ((kinds >= 0.7) & (kinds < 0.7 + won))
    return scores(share(tuned)), scores(share(both | ((kinds >= 0.7 + won) & (kinds < 0.7 + disagreeing))))


def test_of_shares_it_is_what_the_formulas_say():
    tuned, base = pair(np.random.default_rng(5), 0.0, 0.2)
    told = told_apart("f1", tuned, base)
    value = tuned.figures["f1"].value
    assert told.from_threshold == pytest.approx(power.detectable(power.share_error(ROWS, value)), rel=0.03)
    apart = float(np.mean(tuned.figures["f1"].counts[:, 0] != base.figures["f1"].counts[:, 0]))
    assert told.from_system == pytest.approx(power.detectable_paired(ROWS, apart), rel=0.05)
    assert told.sentence.startswith(f"400 rows can tell {100 * told.from_system:.1f} points between tuned and base, ")


def test_a_difference_of_the_size_that_is_told_is_found_four_times_in_five():
    chance = np.random.default_rng(6)
    size = told_apart("f1", *pair(chance, 0.0, 0.2)).from_system
    gate = Gate(gate_id="g", metric_id="f1", operator="gte", better_than="base")
    found = [judge(gate, 0.95, tuned, {"base": base}).met for tuned, base in (pair(chance, size, 0.2) for _ in range(500))]
    assert 0.7 <= np.mean(found) <= 0.88


def test_without_a_base_it_is_told_of_a_threshold_alone():
    told = told_apart("f1", scores(mean(np.random.default_rng(7).random(100))), None)
    assert told.from_system is None and told.system is None
    assert told.from_threshold == pytest.approx(power.detectable(0.2887 / 10), rel=0.15)
    assert "between" not in told.sentence and "points from a threshold (95 % sure, 80 % of the time)" in told.sentence


def test_a_pack_for_tries_promotes_nothing_though_every_gate_is_met():
    right, wrong = np.ones(ROWS, bool), np.arange(ROWS) % 4 > 0
    tuned, base = (
        Scores(metrics={}, row_correct=[bool(each) for each in one], figures={"accuracy": share(one)}) for one in (right, wrong)
    )
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=["a", "b"]))
    fast = load_eval_pack("fast")
    assert not fast.promotes and load_eval_pack("general").promotes
    for promotes in (False, True):
        found = verdict(fast.model_copy(update={"promotes": promotes}), handler, [], {"tuned": tuned, "base": base})
        assert all(gate.met for gate in found.gates) and found.promotable is promotes
