"""Gates: what they say, and what they can't say."""

import pytest

from brewslm import presets
from brewslm.errors import StageError
from brewslm.handlers import HANDLERS
from brewslm.handlers.base import Metric
from brewslm.handlers.eval_pack import EvalPack, Gate, judge, load_eval_pack

SOLID = Metric(value=0.9, low=0.87, high=0.93, n=400)


def gate(**fields):
    return Gate(**({"gate": "g", "metric": "accuracy", "operator": "gte"} | fields))


def outcome(made, metric=SOLID, **others):
    found = judge(made, {"accuracy": metric}, {name: {"accuracy": m} for name, m in others.items()})
    return found.met, found.undecidable


def test_a_gate_is_met_when_the_whole_interval_lies_beyond_it():
    assert outcome(gate(threshold=0.8)) == (True, False)
    assert outcome(gate(threshold=0.95)) == (False, False)
    assert outcome(gate(operator="lte", threshold=0.95)) == (True, False)
    assert outcome(gate(operator="lte", threshold=0.8)) == (False, False)


def test_a_threshold_inside_the_interval_can_not_be_decided():
    assert outcome(gate(threshold=0.89)) == (False, True)
    assert outcome(gate(operator="lte", threshold=0.91)) == (False, True)


def test_a_gate_over_another_system_takes_its_figure_and_equal_is_no_gain():
    base = Metric(value=0.77, low=0.73, high=0.81, n=400)
    assert outcome(gate(over="base"), base=base) == (True, False)
    assert outcome(gate(over="base"), base=base.model_copy(update={"value": 0.87})) == (False, True)
    assert (
        outcome(gate(over="base"), metric=Metric(value=1, low=1, high=1, n=9), base=Metric(value=1, low=1, high=1, n=9))[0]
        is False
    )


def test_an_unknown_metric_or_system_leaves_the_gate_unmet():
    assert outcome(gate(metric="bleu", threshold=0.0)) == (False, False)
    assert outcome(gate(over="nobody")) == (False, False)


def test_few_rows_can_not_decide_a_high_threshold():
    assert not gate(threshold=0.8).decidable(10)  # 10 of 10 right: 0.72 to 1
    assert gate(threshold=0.8).decidable(20)
    assert not gate(operator="lte", threshold=0.1).decidable(20)
    assert gate(operator="lte", threshold=0.1).decidable(60)


def test_every_gate_of_every_preset_stands_on_a_metric_that_its_handler_emits():
    for name in presets.names("eval_packs"):
        for profile, gates in load_eval_pack(name).tasks.items():
            for handler in HANDLERS[profile]:
                assert {made.metric for made in gates if made.required} <= handler.metric_ids
            assert any(made.required for made in gates)


def test_the_default_pack_has_gates_for_every_handler():
    assert set(load_eval_pack("default").tasks) == set(HANDLERS)


def refusal(name):
    with pytest.raises(StageError) as refused:
        load_eval_pack(str(name))
    assert refused.value.reason.code == "invalid_request"
    return str(refused.value)


def test_a_mistyped_key_is_an_error_with_a_suggestion(tmp_path):
    pack = tmp_path / "mine.yaml"
    pack.write_text("description: x\ntaskz: {}\n")
    assert "did you mean tasks?" in refusal(pack)
    pack.write_text("description: x\ntasks:\n  qa:\n    - {gate: g, metric: f1, operator: gte, treshold: 0.5}\n")
    assert "did you mean threshold?" in refusal(pack)


def test_what_is_no_pack_is_refused(tmp_path):
    assert "known: default" in refusal("none-such")
    assert "FileNotFoundError" in refusal(tmp_path / "none.yaml")
    pack = tmp_path / "mine.yaml"
    pack.write_text("description: x\ntasks:\n  qa:\n    - {gate: g, metric: f1, operator: gte}\n")
    assert "either threshold or over" in refusal(pack)
    pack.write_bytes(b"\xff\xfe: [")
    refusal(pack)


def test_a_pack_that_says_nothing_of_a_profile_is_refused():
    with pytest.raises(StageError, match="no gates for qa"):
        EvalPack(description="x", tasks={}).gates("qa")
