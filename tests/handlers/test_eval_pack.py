"""Eval packs: what they may say, and what is refused."""

import pytest

from brewslm import presets
from brewslm.errors import StageError
from brewslm.handlers import HANDLERS, handler_for
from brewslm.handlers.eval_pack import Gate, load_eval_pack, misnamed
from brewslm.rows.manifest import OutputSchema
from tests.packs import gate, write_pack

PACKS = presets.names("eval_packs")
LABELS = OutputSchema(scoring_mode="label", labels=["no", "yes"])


def refusal(name):
    with pytest.raises(StageError) as refused:
        load_eval_pack(str(name))
    assert refused.value.reason.code == "eval_pack_invalid" and "brewslm eval-packs show general" in refused.value.next_step
    return str(refused.value)


@pytest.mark.parametrize("name", PACKS)
def test_a_preset_is_named_as_its_file_and_each_handler_can_emit_all_that_its_gates_name(name):
    pack = load_eval_pack(name)
    assert pack.pack_id == name
    for spec in pack.task_specs:
        assert any(made.required for made in spec.gates)
        for kind in HANDLERS[spec.task_profile]:
            found = [one.said for one in misnamed(spec, kind(OutputSchema(scoring_mode=kind.scoring_mode)))]
            assert found == [], kind


def test_the_default_the_strict_and_the_fast_pack_have_gates_for_every_handler_and_each_task_has_its_own():
    for name in ("general", "strict", "fast"):
        assert {spec.task_profile for spec in load_eval_pack(name).task_specs} == set(HANDLERS)
    for profile in HANDLERS:
        assert [spec.task_profile for spec in load_eval_pack(profile).task_specs] == [profile]


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_wants_more_than_the_untuned_base(name):
    for spec in load_eval_pack(name).task_specs:
        assert any(made.required and made.better_than == "base" for made in spec.gates)


def test_the_default_is_as_sure_as_the_interval_that_the_scorecard_shows():
    pack = load_eval_pack("general")
    assert all(2 * pack.confidence_of(made) - 1 == pytest.approx(0.95) for spec in pack.task_specs for made in spec.gates)


def test_a_pack_of_your_own_is_read(tmp_path):
    short = {"slice_id": "short", "field": "text", "max_words": 5}
    gates = (gate(confidence=0.9, slice_id="short"), gate(gate_id="h", metric_id="recall", class_id="yes", confidence=None))
    pack = load_eval_pack(write_pack(tmp_path, *gates, spec={"slices": [short]}, confidence=0.8, version="7"))
    spec = pack.spec("classification")
    assert [pack.confidence_of(made) for made in spec.gates] == [0.9, 0.8] and pack.version == "7"
    assert spec.slice_of(spec.gates[0]).max_words == 5 and spec.slice_of(spec.gates[1]) is None
    assert list(misnamed(spec, handler_for("classification", LABELS))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"treshold": 0.5}, "did you mean threshold?"),
        ({"metric_id": "acuracy"}, "wants metric acuracy; did you mean accuracy? known: accuracy, "),
        ({"metric_id": "ccuracy"}, "did you mean accuracy?"),  # a substring is no name
        ({"metric_id": "bleu"}, "gate g wants metric bleu"),
        ({"metric_id": "accuracy", "class_id": "yes"}, "wants metric accuracy; known: f1, precision, recall"),
        ({"threshold": None, "better_than": "bse"}, "wants system bse; did you mean base?"),
        ({"threshold": None, "no_worse_than": "majorty"}, "did you mean majority?"),
        ({"threshold": None}, "needs one of threshold, better_than and no_worse_than"),
        ({"better_than": "base"}, "needs one of threshold, better_than and no_worse_than"),
        ({"margin": 0.1}, "has a margin"),
        ({"operator": "gt"}, "gte"),
        ({"confidence": 1.0}, "less than 1"),
        ({"confidence": 95}, "less than 1"),
        ({"threshold": float("nan")}, "finite"),
        ({"slice_id": "long"}, "names slice long"),
    ],
)  # fmt: skip
def test_a_gate_that_can_not_be_judged_is_refused_at_load(tmp_path, change, said):
    assert said in refusal(write_pack(tmp_path, gate(**change)))


def test_other_mistakes_of_a_pack_are_refused(tmp_path):
    assert "did you mean general?" in refusal("generel")
    assert "FileNotFoundError" in refusal(tmp_path / "none.yaml")
    assert "did you mean task_specs?" in refusal(write_pack(tmp_path, gate(), task_spec=[]))
    assert "gate_id g is there twice" in refusal(write_pack(tmp_path, gate(), gate()))
    assert "at least 1 item" in refusal(write_pack(tmp_path))
    assert "did you mean classification?" in refusal(write_pack(tmp_path, gate(), spec={"task_profile": "clasification"}))
    assert "slm.evaluation-pack/v2" in refusal(write_pack(tmp_path, gate(), contract_version="slm.evaluation-pack/v1"))
    spec = {"slices": [{"slice_id": "s", "field": "text"}]}
    assert "needs equals, min_words or max_words" in refusal(write_pack(tmp_path, gate(), spec=spec))
    path = tmp_path / "mine.yaml"
    for content in (b"\xff\xfe: [", b"- 1\n", b""):
        path.write_bytes(content)
        refusal(path)


def test_a_class_that_the_manifest_does_not_have_is_found(tmp_path):
    made = gate(metric_id="recall", class_id="yess")
    spec = load_eval_pack(write_pack(tmp_path, made)).spec("classification")
    (found,) = misnamed(spec, handler_for("classification", LABELS))
    assert (found.code, found.said) == ("gate_class_unknown", "gate g wants class yess")
    assert found.cause == "did you mean yes? known: no, yes"


def test_a_pack_that_says_nothing_of_a_profile_is_refused():
    with pytest.raises(StageError, match="has no gates for qa") as refused:
        load_eval_pack("classification").spec("qa")
    assert "eval-packs list" in refused.value.next_step


def test_few_rows_can_not_decide_a_high_threshold():
    def decidable(n, packs, **fields):
        return Gate(**gate(**fields)).decidable(n, packs)

    assert not decidable(10, 0.975, threshold=0.8)  # 10 of 10 right: 0.72 to 1
    assert decidable(20, 0.975, threshold=0.8)
    assert decidable(12, 0.9, threshold=0.8) and not decidable(12, 0.9, threshold=0.8, confidence=0.99)
    assert not decidable(20, 0.975, operator="lte", threshold=0.1)
    assert decidable(60, 0.975, operator="lte", threshold=0.1)
    assert decidable(1, 0.975, threshold=None, better_than="base") and decidable(1, 0.975, threshold=-1.0)
