"""The preference handler: which answer a model prefers, by how much, and what training changed."""

import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.handlers import handler_for
from brewslm.handlers.examples import tokenise
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.templates import answer_ids, end_token_id, prompt_ids
from brewslm.rows import RejectedRow
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason
from tests.handlers.scripted import Scripted
from tests.mapping import map_one
from tests.stages.train.pairs import pairs

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)


def rows(count: int = 6) -> list[PreparedRow]:
    return [PreparedRow.model_validate(row) for row in pairs(count)]


@pytest.fixture(scope="module")
def handler():
    return handler_for("preference", OutputSchema(scoring_mode="preference"))


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


class Given:
    """Gives each answer the log-probability and the tokens that a table says."""

    def __init__(self, **said: tuple[float, int]) -> None:
        self.said = said

    def log_likelihoods(self, prompts, completions):
        return [self.said[completion] for completion in completions]


def preferred(handler, chosen: tuple[float, int], rejected: tuple[float, int]):
    row = PreparedRow(row_id="r", payload={"prompt": "q", "chosen": "better", "rejected": "worse"})
    (said,) = handler.predict([row], Given(better=chosen, worse=rejected))
    return said, handler.score([row], [said])


def test_the_answer_with_the_larger_sum_is_preferred_and_the_one_with_the_larger_mean_counted_beside_it(handler):
    said, scores = preferred(handler, (-10.0, 10), (-6.0, 2))
    assert (said.output, scores.row_correct) == ("worse", [False])
    assert said.scores["chosen"] == pytest.approx(1 / (1 + math.exp(4))) and sum(said.scores.values()) == pytest.approx(1)
    values = {name: metric.value for name, metric in scores.metrics.items()}
    assert values == {
        "preference_accuracy": 0.0, "preference_accuracy_per_token": 1.0, "log_prob_margin": -4.0,
        "log_prob_margin_per_token": 2.0, "chosen_log_prob": -1.0, "rejected_log_prob": -3.0,
    }  # fmt: skip


@pytest.mark.parametrize("margin", [0.0, -5000.0])
def test_no_margin_is_no_preference_and_a_wide_one_is_no_overflow(handler, margin):
    said, _ = preferred(handler, (-10.0 + margin, 5), (-10.0, 5))
    assert said.output == "worse" and said.scores["chosen"] <= 0.5


def test_what_training_changed_is_told_beside_the_base(handler):
    (before, _), (after, _) = preferred(handler, (-10.0, 5), (-8.0, 4)), preferred(handler, (-15.0, 5), (-20.0, 4))
    gained = {name: metric.value for name, metric in handler.gained([], [after], [before]).items()}
    assert gained == {"reward_accuracy": 1.0, "reward_margin": 7.0, "chosen_log_prob_gain": -1.0}


def test_every_metric_is_one_that_gates_may_name(handler, tiny_model, tokenizer):
    predictor = WeightsPredictor(load_model(tiny_model, precision="fp32"), tokenizer)
    said = handler.predict(rows(), predictor)
    found = handler.score(rows(), said).gaining(handler.gained(rows(), said, said)).metrics
    assert set(found) == handler.metric_ids
    assert all(metric.low <= metric.value <= metric.high and metric.n == 6 for metric in found.values())
    assert found["reward_margin"].value == found["chosen_log_prob_gain"].value == 0.0


def test_asked_without_answers_the_model_answers(handler):
    row = PreparedRow(row_id="r", payload={"prompt": "where is my order"})
    (said,) = handler.predict([row], Scripted(lambda _: " on its way "))
    assert (said.output, said.scores, said.raw) == ("on its way", {}, " on its way ")


def test_baselines_prefer_by_length_and_by_the_words_of_answers(handler):
    found = handler.baselines(rows(12), rows(6))
    share = {name: handler.score(rows(6), said).metrics["preference_accuracy"].value for name, said in found.items()}
    assert share == {"longer": 0.5, "shorter": 0.5, "tfidf_logreg": 1.0}
    assert set(handler.score(rows(6), found["longer"]).metrics) == {"preference_accuracy"}


def test_where_a_rule_says_nothing_it_is_right_as_often_as_wrong(handler):
    same = [PreparedRow(row_id=f"r{n}", payload={"prompt": "q", "chosen": "good", "rejected": "dull"}) for n in range(400)]
    found = handler.baselines(same[:1], same)
    assert set(found) == {"longer", "shorter"}
    for said in found.values():
        assert handler.score(same, said).metrics["preference_accuracy"].value == pytest.approx(0.5, abs=0.08)


@given(prompt=TEXT, chosen=TEXT, rejected=TEXT)
@settings(max_examples=60, deadline=None)
def test_whatever_its_mapper_gives_is_accepted_or_rejected_with_a_reason(handler, tokenizer, prompt, chosen, rejected):
    columns = {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
    payload = map_one("preference_pair", columns, {"prompt": prompt, "chosen": chosen, "rejected": rejected})
    if isinstance(payload, RejectedRow):
        assert isinstance(payload.reason, RowReason)
        return
    assert handler.check(payload) is None
    examples, refused = tokenise([PreparedRow(row_id="r", payload=payload)], handler, tokenizer, 512, LedgerKeeper())
    assert len(examples) + len(refused) == 1 and all(isinstance(reason, RowReason) for _, reason in refused)


@given(prompt=TEXT.filter(str.strip), chosen=TEXT.filter(str.strip), rejected=TEXT.filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_both_answers_are_trained_as_they_are_served_and_nothing_else_is_supervised(handler, tokenizer, prompt, chosen, rejected):
    payload = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    (pairs_made, _) = tokenise([PreparedRow(row_id="r", payload=payload)], handler, tokenizer, sys.maxsize, LedgerKeeper())
    for pair in pairs_made:  # two texts may be the same tokens
        asked = prompt_ids(tokenizer, handler.prompt({"prompt": prompt}))
        for example, answer in zip(pair.sequences, (chosen, rejected), strict=True):
            said = answer_ids(tokenizer, answer)
            assert example.ids == [*asked, *said, end_token_id(tokenizer)]
            assert example.prompt_length == len(asked) and example.supervised == len(said) + 1
            assert tokenizer.decode(said).replace("\u2060", "") == answer.replace("\u2060", "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"prompt": " "}, "missing_prompt"), ({"chosen": None}, "missing_chosen"), ({"rejected": ""}, "missing_rejected"),
     ({"rejected": " good"}, "identical_pair")],
)  # fmt: skip
def test_a_row_that_can_not_be_served_says_why(handler, change, reason):
    assert handler.check({"prompt": "q", "chosen": "good", "rejected": "bad"} | change) == reason
