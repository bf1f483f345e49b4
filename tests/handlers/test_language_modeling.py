"""The language modelling handler, and the baseline that counts bytes."""

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.handlers import handler_for
from brewslm.handlers.bytegrams import ByteGrams
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.rows.manifest import OutputSchema, PreparedRow

TEXTS = ["the movie was not very good", "a slow lovely film", "the plot was awful and dull"]


def rows(texts=TEXTS):
    return [PreparedRow(row_id=f"r{n}", payload={"text": text}) for n, text in enumerate(texts)]


@pytest.fixture
def handler():
    return handler_for("language_modeling", OutputSchema(scoring_mode="likelihood"))


def test_perplexity_and_bits_are_those_of_the_plain_computation(handler, tiny_model):
    import torch

    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    scores = handler.score(rows(), handler.predict(rows(), WeightsPredictor(model, tokenizer)))
    loss = tokens = 0.0
    for text in TEXTS:
        ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
        with torch.no_grad():
            loss += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        tokens += ids.shape[1] - 1
    assert scores.metrics["perplexity"].value == pytest.approx(exp(loss / tokens), rel=1e-4)
    bits = loss / log(2) / sum(map(len, TEXTS))
    assert scores.metrics["bits_per_byte"].value == pytest.approx(bits, rel=1e-4)
    assert scores.metrics["bits_saved"].value == pytest.approx(1 - bits / 8, abs=1e-4)
    assert set(scores.metrics) == handler.metric_ids


def test_a_base_is_asked_the_same_text_in_both_of_its_styles(handler, tiny_model):
    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    chat, plain = (handler.predict(rows(), WeightsPredictor(model, tokenizer, style)) for style in ("chat", "plain"))
    assert [one.log_likelihood for one in chat] == pytest.approx([one.log_likelihood for one in plain])


def test_counting_bytes_is_a_baseline_that_knows_what_it_has_seen(handler):
    seen = handler.score(rows(), handler.baselines(rows(), rows())["byte_ngram"]).metrics
    unseen = handler.score(rows(["zzz qqq"]), handler.baselines(rows(), rows(["zzz qqq"]))["byte_ngram"]).metrics
    assert seen["bits_per_byte"].value < 2 < 7 < unseen["bits_per_byte"].value
    assert "perplexity" not in seen


@given(st.lists(st.text(max_size=8), max_size=4), st.text("ab", max_size=6))
def test_the_probabilities_of_the_next_byte_sum_to_one(texts, context):
    model = ByteGrams(texts)
    assert sum(model._probability(context.encode()[-5:], byte) for byte in range(256)) == pytest.approx(1)
