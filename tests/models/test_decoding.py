"""Many answers at once are those of transformers' own loop, one prompt at a time; and no step is computed for nothing."""

import json

import pytest

from brewslm.models import decoding, predictors
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor, sees_all_before
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, prompt_ids
from tests.families import FAMILIES, make_family

TEXTS = ["a film", "dull", "the plot was not very good and the acting bad " * 5, "great", "where is my order", "who"] * 9
LIMIT = 12


def asked(text: str, number: int) -> Prompt:
    return Prompt(
        ({"role": "system", "content": "Label it."}, {"role": "user", "content": f"{text} {number}"}), f"{text} {number}"
    )


PROMPTS = [asked(text, number) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module", params=["tiny", "gemma3"])
def parts(request, tiny_model, tmp_path_factory):
    """A model whose every layer sees all, and one with a sliding window."""
    folder = tiny_model
    if request.param == "gemma3":
        family = next(one for one in FAMILIES if one.name == "gemma3")
        folder = make_family(tmp_path_factory.mktemp("gemma3"), family)
    return load_model(folder, precision="fp32"), load_tokenizer(folder)


@pytest.mark.parametrize("vocabulary", [1, decoding.BLOCK - 1, decoding.BLOCK, 3 * decoding.BLOCK + 7])
def test_the_likeliest_token_is_the_first_of_the_greatest(vocabulary):
    """Logits in bf16 are often equal; and a schema leaves most of them at -inf."""
    import torch

    drawn = torch.randint(-9, 9, (64, vocabulary), generator=torch.Generator().manual_seed(1)).bfloat16()
    drawn[::2] = drawn[::2].masked_fill(
        torch.rand((32, vocabulary), generator=torch.Generator().manual_seed(2)) < 0.9, -torch.inf
    )
    drawn[torch.arange(1, 64, 4), torch.arange(1, 64, 4) * 97 % vocabulary] = 20.0  # once alone, in some block
    first = [next(place for place, value in enumerate(row) if value == max(row)) for row in drawn.tolist()]
    assert decoding.likeliest(drawn).tolist() == first


def one_by_one(parts, style: str) -> list[str]:
    """By transformers' `generate`, without a batch."""
    import torch

    model, tokenizer = parts
    end, found = end_token_id(tokenizer), []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt_ids(tokenizer, prompt, style)])
        out = model.generate(ids, max_new_tokens=LIMIT, do_sample=False, eos_token_id=end, pad_token_id=end)[
            0, ids.shape[1] :
        ].tolist()
        text = tokenizer.decode(out[: out.index(end)] if end in out else out, skip_special_tokens=True)
        found.append(text.strip().partition("\n")[0] if style == "plain" else text)
    return found


@pytest.mark.parametrize("style", ["chat", "plain"])
def test_answers_are_those_of_the_plain_loop(parts, style):
    told = []
    predictor = WeightsPredictor(*parts, style, told.extend)
    assert predictor.generate(PROMPTS, LIMIT) == one_by_one(parts, style)
    assert sorted(one.place for one in told) == list(range(len(PROMPTS))), "each answer is told once"
    assert {one.scoring for one in told} == {"free_text"} and all(one.stop in ("end", "line", "limit") for one in told)
    assert all((one.tokens == LIMIT) == (one.stop == "limit") for one in told if one.stop != "line")


def test_the_kinds_of_model_are_told_apart(tiny_model, tmp_path):
    assert sees_all_before(load_model(tiny_model, precision="fp32"))
    windowed = next(one for one in FAMILIES if one.name == "gemma3")
    assert not sees_all_before(load_model(make_family(tmp_path, windowed), precision="fp32"))


def test_no_row_is_computed_after_its_end(tiny_model, monkeypatch):
    monkeypatch.setattr(decoding, "ROWS", 8)
    monkeypatch.setattr(decoding, "JOINING", 2)
    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    steps, told = [], []

    def count(_module, _given, named):
        if named["input_ids"].shape[1] == 1:
            steps.append(len(named["input_ids"]))

    hook = model.register_forward_pre_hook(count, with_kwargs=True)
    WeightsPredictor(model, tokenizer, on_answers=told.extend).generate(PROMPTS, LIMIT)
    hook.remove()
    # The first token comes from the prompt; the end mark is a token too.
    assert sum(steps) == sum(one.tokens + (one.stop == "end") - 1 for one in told)
    assert max(steps) == 8 and sum(steps) / len(steps) > 6, "a place that is free is taken by the next prompt"


def test_long_rows_are_fewer_at_once(tiny_model, monkeypatch):
    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    wanted = WeightsPredictor(model, tokenizer).generate(PROMPTS, LIMIT)
    longest = max(len(prompt_ids(tokenizer, prompt)) for prompt in PROMPTS) + LIMIT
    token_bytes = 2 * 2 * 2 * 16 * 4  # keys and values, layers, heads, width, fp32
    monkeypatch.setattr(decoding, "CACHE_BYTES", 6 * longest * token_bytes)
    rows = []
    hook = model.register_forward_pre_hook(lambda _m, _a, named: rows.append(named["input_ids"].shape), with_kwargs=True)
    assert WeightsPredictor(model, tokenizer).generate(PROMPTS, LIMIT) == wanted
    hook.remove()
    assert max(count for count, tokens in rows if tokens == 1) == 6


def test_room_grows_and_rows_are_moved_without_a_trace(tiny_model, monkeypatch):
    from brewslm.models.kernels import slots

    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    wanted = WeightsPredictor(model, tokenizer).generate(PROMPTS, 40)
    monkeypatch.setattr(slots, "AHEAD", 3)
    monkeypatch.setattr(decoding, "ROWS", 4)
    monkeypatch.setattr(decoding, "JOINING", 1)
    assert WeightsPredictor(model, tokenizer).generate(PROMPTS, 40) == wanted


@pytest.mark.parametrize("limit", [3, 60])
def test_each_answer_is_held_to_its_own_place_in_a_schema(tiny_model, monkeypatch, limit):
    schema = {
        "type": "object", "properties": {"plot": {"enum": ["good", "bad"]}, "who": {"type": "string"}},
        "required": ["plot", "who"], "additionalProperties": False,
    }  # fmt: skip
    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    told = []
    found = WeightsPredictor(model, tokenizer, on_answers=told.extend).generate(PROMPTS[:12], limit, schema)
    monkeypatch.setattr(predictors, "sees_all_before", lambda _: False)
    assert found == WeightsPredictor(model, tokenizer).generate(PROMPTS[:12], limit, schema), "transformers' loop says another"
    assert all(list(json.loads(text)) == ["plot", "who"] for text in found)
    assert {(one.scoring, one.stop) for one in told} == {("constrained", "schema")}
