"""Answers in batches, with a shared prefix, are those of one prompt at a time."""

import math

import pytest

from brewslm.models import predictors
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import WHOLE_TEXT, Prompt
from brewslm.models.templates import end_token_id, prompt_ids, text_ids
from tests.families import FAMILIES, make_family


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


TEN = [
    "refund not showing up", "refund request", "refund", "order status", "order not arrived", "change my address",
    "change my order", "change my name", "cancel", "what is your street and city and state and zip code",
]  # fmt: skip


@pytest.mark.parametrize("style", ["chat", "plain"])
@pytest.mark.parametrize(
    ("labels", "end"),
    [(["good", "bad"], False), (["very good and lovely", "dull"], False), (["good", "good film"], True), (TEN, True)],
)
def test_label_scores_equal_a_forward_pass_per_label(parts, style, labels, end):
    found = WeightsPredictor(*parts, style).label_scores(PROMPTS, labels)
    for prompt, scores in zip(PROMPTS, found, strict=True):
        assert scores == pytest.approx(brute_force(parts, prompt, labels, style, end), abs=1e-5)


def among_labels(parts, prompt: Prompt, labels: list[str]) -> list[float]:
    """Each label's probability where a model writes under a grammar: at each token, among those with which a label goes on."""
    import torch

    model, tokenizer = parts
    asked_ids, end = prompt_ids(tokenizer, prompt, "chat"), end_token_id(tokenizer)
    every = [[*text_ids(tokenizer, label), end] for label in labels]
    found = []
    for ids in every:
        chance = 1.0
        for at, token in enumerate(ids):
            going_on = {other[at] for other in every if other[:at] == ids[:at]}
            with torch.inference_mode():
                said = model(input_ids=torch.tensor([asked_ids + ids[:at]])).logits[0, -1].softmax(-1)
            chance *= (said[token] / said[list(going_on)].sum()).item()
        found.append(chance)
    return found


def test_labels_can_be_had_as_under_a_grammar(parts):
    predictor = WeightsPredictor(*parts, labelling="constrained")
    for prompt, scores in zip(PROMPTS, predictor.label_scores(PROMPTS, TEN), strict=True):
        assert scores == pytest.approx(among_labels(parts, prompt, TEN), abs=1e-4)
        assert sum(scores) == pytest.approx(1.0)


def test_labels_can_be_had_by_what_is_written_and_nothing_else_counts(parts, monkeypatch):
    told = []
    predictor = WeightsPredictor(*parts, labelling="strict_parsing", on_answers=told.extend)
    written = WeightsPredictor(*parts).generate(PROMPTS, 8)
    longest = max(len(text_ids(parts[1], label)) for label in (written[0].strip(), "dull"))
    monkeypatch.setattr(predictors, "LABEL_ROOM", 8 - longest)  # the tiny model never ends by itself
    scores = predictor.label_scores(PROMPTS, [written[0].strip(), "dull"])
    assert scores[0] == [1.0, 0.0]
    assert all(sum(row) == (text.strip() in (written[0].strip(), "dull")) for row, text in zip(scores, written, strict=True))
    assert {one.scoring for one in told} == {"strict_parsing"}


def test_one_prompt_is_answered_as_among_many(parts):
    predictor = WeightsPredictor(*parts)
    together = predictor.label_scores(PROMPTS, ["good", "bad"])
    alone = [predictor.label_scores([prompt], ["good", "bad"])[0] for prompt in PROMPTS]
    assert together == [pytest.approx(scores, abs=1e-5) for scores in alone]


def test_generation_in_a_batch_equals_generation_alone(parts):
    predictor = WeightsPredictor(*parts)
    assert predictor.generate(PROMPTS, 6) == [predictor.generate([prompt], 6)[0] for prompt in PROMPTS]


def test_it_tells_each_answer_as_it_is_made(parts):
    told = []
    found = WeightsPredictor(*parts, on_answers=told.extend).label_scores(PROMPTS, ["good", "bad"])
    assert {one.place: one.answer for one in told} == dict(enumerate(found)) and len(told) == len(PROMPTS)
    assert {one.scoring for one in told} == {"label_log_probability"}
    assert all(one.latency_seconds >= one.seconds > 0 for one in told)


def test_it_says_what_it_sends_and_by_which_template(parts):
    _, tokenizer = parts
    chat, plain = WeightsPredictor(*parts), WeightsPredictor(*parts, "plain")
    assert text_ids(tokenizer, chat.sent(PROMPTS[0])) == prompt_ids(tokenizer, PROMPTS[0])
    assert chat.sent(PROMPTS[0]).endswith("<|im_start|>assistant\n") and len(chat.template_sha256) == 64
    assert (plain.sent(PROMPTS[0]), plain.template_sha256) == ("a film\n\nLabel:", "")


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def family(request, tmp_path_factory):
    folder = make_family(tmp_path_factory.mktemp(request.param.name), request.param)
    return load_model(folder, precision="fp32"), load_tokenizer(folder)


def test_every_family_scores_labels_as_a_forward_pass_per_label(family):
    """Those with a sliding window too, which can't be given a tree."""
    for prompt, scores in zip(PROMPTS, WeightsPredictor(*family).label_scores(PROMPTS, TEN), strict=True):
        assert scores == pytest.approx(brute_force(family, prompt, TEN, "chat", True), abs=1e-4)


COMPLETIONS = ["good", "", "a very lovely film and the plot was good", "bad acting"]


def plainly(parts, asked_ids: list[int], answer: list[int]) -> float:
    """By transformers' own loss, one row at a time."""
    import torch

    labels = torch.tensor([[-100] * len(asked_ids) + answer])
    with torch.inference_mode():
        loss = parts[0](input_ids=torch.tensor([asked_ids + answer]), labels=labels).loss
    return -loss.item() * len(answer) if answer else 0.0


@pytest.mark.parametrize(("style", "lead", "ends"), [("chat", "", True), ("plain", " ", False)])
def test_log_likelihoods_are_those_of_transformers_loss_whatever_stands_beside_them(parts, style, lead, ends):
    _, tokenizer = parts
    found = WeightsPredictor(*parts, style).log_likelihoods(PROMPTS, COMPLETIONS)
    answers = [text_ids(tokenizer, lead + text) + [end_token_id(tokenizer)] * ends for text in COMPLETIONS]
    assert [count for _, count in found] == [len(answer) for answer in answers]
    wanted = [plainly(parts, prompt_ids(tokenizer, one, style), said) for one, said in zip(PROMPTS, answers, strict=True)]
    assert [total for total, _ in found] == pytest.approx(wanted, rel=1e-4)


def test_log_likelihoods_alone_and_in_many_passes_of_the_head_are_the_same(parts, monkeypatch):
    together = WeightsPredictor(*parts).log_likelihoods(PROMPTS, COMPLETIONS)
    monkeypatch.setattr("brewslm.models.predictors.LOGITS", 3)
    alone = [WeightsPredictor(*parts).log_likelihoods([one], [said])[0] for one, said in zip(PROMPTS, COMPLETIONS, strict=True)]
    assert [total for total, _ in together] == pytest.approx([total for total, _ in alone], rel=1e-4)


def test_an_empty_answer_has_the_likelihood_of_its_end_mark_alone(parts):
    model, tokenizer = parts
    ((total, count),) = WeightsPredictor(model, tokenizer).log_likelihoods(PROMPTS[:1], [""])
    assert count == 1
    assert total == pytest.approx(plainly(parts, prompt_ids(tokenizer, PROMPTS[0]), [end_token_id(tokenizer)]), rel=1e-4)


def test_a_whole_text_is_measured_from_its_beginning_and_without_an_end_mark(parts):
    _, tokenizer = parts
    texts = ["the film was good", "a", ""]
    found = WeightsPredictor(*parts).log_likelihoods([WHOLE_TEXT] * 3, texts)
    wanted = [plainly(parts, [tokenizer.bos_token_id], text_ids(tokenizer, text)) for text in texts]
    assert [count for _, count in found] == [len(text_ids(tokenizer, text)) for text in texts]
    assert [total for total, _ in found] == pytest.approx(wanted, rel=1e-4)


def test_a_text_with_a_control_token_in_it_is_measured_as_text(parts):
    _, tokenizer = parts
    ((_, count),) = WeightsPredictor(*parts).log_likelihoods(PROMPTS[:1], ["good<|im_end|>"])
    assert count > len(text_ids(tokenizer, "good<|im_end|>")) + 1
