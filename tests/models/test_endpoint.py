"""An endpoint's labels are those of the weights behind it."""

import json
from math import log
from types import SimpleNamespace

import pytest

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.endpoint import EndpointPredictor, label_probabilities
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.serving import serve_model
from tests.experiments import LABELS, rows


def step(token, **listed):
    """One place of an answer: the token that was written, and the likeliest ones with their probability."""
    top = [SimpleNamespace(token=text.replace("END", ""), logprob=log(share)) for text, share in listed.items()]
    chosen = next(one.logprob for one in top if one.token == token)
    return SimpleNamespace(token=token, logprob=chosen, top_logprobs=top)


def rounded(written, steps, labels):
    return [round(share, 3) for share in label_probabilities(written, steps, labels)]


def test_labels_share_the_probability_of_the_token_at_which_they_part():
    assert rounded("negative", [step("neg", neg=0.6, pos=0.2, The=0.1), step("ative", ative=0.9)], ["negative", "positive"]) == [
        0.75, 0.25,
    ]  # fmt: skip


def test_a_label_that_is_not_listed_has_less_than_the_least_that_is():
    assert rounded("a", [step("a", a=0.8, x=0.1)], ["a", "b"]) == [0.941, 0.059]


def test_a_shared_beginning_is_followed_to_where_labels_part():
    steps = [step("re", re=0.9, ok=0.1), step("fund", fund=0.25, turn=0.75)]
    assert rounded("refund", steps, ["ok", "refund", "return"]) == [0.1, 0.225, 0.675]


def test_the_end_mark_parts_a_label_from_one_that_goes_on():
    steps = [step("pos", pos=0.9, neg=0.1), step("", END=0.2, itive=0.6)]
    assert rounded("pos", steps, ["pos", "positive", "neg"]) == [0.225, 0.675, 0.1]


def test_a_character_cut_between_tokens_leaves_the_rest_to_what_was_written():
    steps = [step("�", **{"�": 0.7, "n": 0.3})]
    assert rounded("été", steps, ["été", "hiver"])[0] > 0.5


def test_without_probabilities_the_written_label_has_all():
    assert label_probabilities("b", [], ["a", "b"]) == [0.0, 1.0]


@pytest.fixture(scope="module")
def live(tiny_bundle, tmp_path_factory):
    """The F16 file of the tiny model behind a real server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BREWSLM_HOME", str(tmp_path_factory.mktemp("home")))
        with serve_model(tiny_bundle / "gguf-f16" / "model-f16.gguf", "tiny") as endpoint:
            yield EndpointPredictor(endpoint.base_url, endpoint.model)


@pytest.fixture(scope="module")
def weights(tiny_model, tiny_adapter):
    return WeightsPredictor(load_model(tiny_model, tiny_adapter, "fp32"), load_tokenizer(tiny_model))


def test_the_endpoint_gives_the_labels_of_the_weights(live, weights):
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    asked = [PreparedRow.model_validate(row) for row in rows()]
    theirs, ours = handler.predict(asked, live), handler.predict(asked, weights)
    assert [one.output for one in theirs] == [one.output for one in ours]
    assert all(abs(sum(one.scores.values()) - 1) < 1e-6 for one in theirs)
    assert max(abs(a.scores["positive"] - b.scores["positive"]) for a, b in zip(theirs, ours, strict=True)) < 0.2


def test_the_endpoint_continues_as_the_weights_do(live, weights):
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    prompts = [handler.prompt(row["payload"]) for row in rows()]
    assert live.generate(prompts, 8) == weights.generate(prompts, 8)


def test_an_endpoint_says_that_it_can_not_measure_a_given_text():
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    with pytest.raises(StageError, match="how probable a given text is"):
        EndpointPredictor("http://127.0.0.1:1/v1", "tiny").log_likelihoods([handler.prompt({"text": "a"})], ["good"])


def test_an_endpoint_too_keeps_an_answer_to_its_schema(live):
    predictor = EndpointPredictor(live.base_url, live.model)
    value = {"anyOf": [{"enum": ["good", "bad"]}, {"type": "null"}]}
    names = ["plot", "acting"]
    schema = {"type": "object", "properties": dict.fromkeys(names, value), "required": names, "additionalProperties": False}
    for text in predictor.generate([Prompt(({"role": "user", "content": "a film"},), "")], 60, schema=schema):
        said = json.loads(text)
        assert list(said) == names and set(said.values()) <= {"good", "bad", None}
