"""Answers in batches, with a shared prefix, are those of one prompt at a time."""

import math

import pytest

from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, prompt_ids, text_ids


def asked(text: str) -> Prompt:
    return Prompt(({"role": "system", "content": "Label it."}, {"role": "user", "content": text}), plain=f"{text}\n\nLabel:")


PROMPTS = [asked(text) for text in ("a film", "a slow and lovely film", "dull", "the plot was not very good and the acting bad")]


@pytest.fixture(scope="module")
def parts(tiny_model):
    return load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)


def brute_force(parts, prompt: Prompt, labels: list[str], style: str, end: bool) -> list[float]:
    """Each label's log-probability by a forward pass of its own, normalised over the labels."""
    import torch

    model, tokenizer = parts
    scores = []
    for label in labels:
        asked_ids = prompt_ids(tokenizer, prompt, style)
        answer = text_ids(tokenizer, (" " if style == "plain" else "") + label) + ([end_token_id(tokenizer)] if end else [])
        with torch.inference_mode():
            said = model(input_ids=torch.tensor([asked_ids + answer])).logits[0].log_softmax(-1)
        scores.append(sum(said[len(asked_ids) - 1 + at, token].item() for at, token in enumerate(answer)))
    total = math.log(sum(math.exp(score) for score in scores))
    return [math.exp(score - total) for score in scores]


@pytest.mark.parametrize("style", ["chat", "plain"])
@pytest.mark.parametrize(
    ("labels", "end"), [(["good", "bad"], False), (["very good and lovely", "dull"], False), (["good", "good film"], True)]
)
def test_label_scores_equal_a_forward_pass_per_label(parts, style, labels, end):
    found = WeightsPredictor(*parts, style).label_scores(PROMPTS, labels)
    for prompt, scores in zip(PROMPTS, found, strict=True):
        assert scores == pytest.approx(brute_force(parts, prompt, labels, style, end), abs=1e-5)


def test_one_prompt_is_answered_as_among_many(parts):
    predictor = WeightsPredictor(*parts)
    together = predictor.label_scores(PROMPTS, ["good", "bad"])
    alone = [predictor.label_scores([prompt], ["good", "bad"])[0] for prompt in PROMPTS]
    assert together == [pytest.approx(scores, abs=1e-5) for scores in alone]


def test_generation_in_a_batch_equals_generation_alone(parts):
    predictor = WeightsPredictor(*parts)
    assert predictor.generate(PROMPTS, 6) == [predictor.generate([prompt], 6)[0] for prompt in PROMPTS]


def test_it_tells_how_many_are_done(parts):
    told: list[int] = []
    WeightsPredictor(*parts, on_done=told.append).label_scores(PROMPTS, ["good", "bad"])
    assert sum(told) == len(PROMPTS)
