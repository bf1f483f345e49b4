"""Whether an exported model still says what the trained one says, token by token."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, pad_left, prompt_ids

Top1 = Callable[[list[int], list[int]], list[int]]
"""(prompt ids, answer ids) → the most probable token before each answer token, given all tokens that precede it."""


class Reference(BaseModel):
    """What the trained model says to one prompt.

    Attributes:
        answer_ids: Its greedy answer; the last id is the end mark where it stopped by itself.
        expected: Its own most probable token at each of these places, computed in one pass as every artifact's is.
        margins: By how much, in logits, that token led the next one: a flip at a small margin is a near-tie.
    """

    model_config = ConfigDict(frozen=True)

    prompt_ids: list[int]
    answer_ids: list[int]
    expected: list[int]
    margins: list[float]
    stopped: bool


class Flip(BaseModel):
    """One place where an artifact's most probable token is another."""

    model_config = ConfigDict(frozen=True)

    prompt: int
    position: int
    expected: int
    found: int
    margin: float


class Agreement(BaseModel):
    """Teacher-forced top-1 agreement over all tokens of all references.

    Attributes:
        greedy: Share of prompts without any flip: there the greedy answer is the same, token by token.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int
    top1: float
    greedy: float
    flips: list[Flip]


def references(model: Any, tokenizer: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> list[Reference]:
    """The greedy answers of a model of transformers, in fp32, and how sure it is of each token."""
    asked = [prompt_ids(tokenizer, prompt) for prompt in prompts]
    end = end_token_id(tokenizer)
    made = []
    for ids, answer in zip(asked, _greedy(model, asked, end, max_new_tokens), strict=True):
        expected, margins = _top2(model, ids, answer)
        made.append(Reference(prompt_ids=ids, answer_ids=answer, expected=expected, margins=margins, stopped=answer[-1] == end))
    return made


def weights_top1(model: Any) -> Top1:
    """A model of transformers as something to compare."""
    return lambda prompt, answer: _top2(model, prompt, answer)[0]


def agreement(top1: Top1, wanted: Sequence[Reference]) -> Agreement:
    """Hold a model against the references. Each token is asked after the reference's own tokens, so one flip costs one token."""
    flips, tokens = [], 0
    for place, one in enumerate(wanted):
        tokens += len(one.expected)
        for position, found in enumerate(top1(one.prompt_ids, one.answer_ids)):
            if found != one.expected[position]:
                margin = round(one.margins[position], 4)
                flips.append(Flip(prompt=place, position=position, expected=one.expected[position], found=found, margin=margin))
    same = len(wanted) - len({flip.prompt for flip in flips})
    return Agreement(tokens=tokens, top1=1 - len(flips) / tokens, greedy=same / len(wanted), flips=flips)


def _greedy(model: Any, prompts: list[list[int]], end: int, max_new_tokens: int) -> list[list[int]]:
    """Each prompt's continuation up to and with its end mark."""
    import torch
    from transformers import GenerationConfig

    padded, mask = pad_left(prompts, end)
    config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=end, pad_token_id=end)
    with torch.inference_mode():
        out = model.generate(input_ids=torch.tensor(padded), attention_mask=torch.tensor(mask), generation_config=config)
    answers = out[:, len(padded[0]) :].tolist()
    return [answer[: answer.index(end) + 1] if end in answer else answer for answer in answers]


def _top2(model: Any, prompt: list[int], answer: list[int]) -> tuple[list[int], list[float]]:
    import torch

    with torch.inference_mode():
        ids = torch.tensor([prompt + answer[:-1]])
        logits = model(input_ids=ids, logits_to_keep=len(answer)).logits[0].float()
        best = logits.topk(2, dim=-1)
    return best.indices[:, 0].tolist(), (best.values[:, 0] - best.values[:, 1]).tolist()
