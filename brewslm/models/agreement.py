"""Whether an exported model still says what the trained one says, token by token."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, pad_left, prompt_ids

Logits = Callable[[list[int], list[int]], Any]
"""(prompt ids, answer ids) → numpy (answer ids, vocabulary): the logits before each answer token, given all that precede it."""
DIVERGENCE_PLACES = 48
"""Of each answer, divergences are taken of so many tokens: whole distributions over a vocabulary are large."""
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
        kl: KL(trained ‖ this), in nats, mean over the first `DIVERGENCE_PLACES` tokens of each answer; None where the runtime
            gives no whole distribution.
        kl_base: KL(untrained base ‖ this), at the same places.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int
    top1: float
    greedy: float
    flips: list[Flip]
    kl: float | None = None
    kl_base: float | None = None


def references(
    model: Any, tokenizer: Any, prompts: Sequence[Prompt], max_new_tokens: int, keep: Callable[[Any], None] = lambda _logits: None
) -> list[Reference]:
    """The greedy answers of a model of transformers, in fp32, and how sure it is of each token.

    Args:
        keep: Is given the logits of each answer, cut to `DIVERGENCE_PLACES`, in the order of the prompts.
    """
    asked = [prompt_ids(tokenizer, prompt) for prompt in prompts]
    end = end_token_id(tokenizer)
    made = []
    for ids, answer in zip(asked, greedy_answers(model, asked, end, max_new_tokens), strict=True):
        logits = weights_logits(model)(ids, answer)
        keep(logits[:DIVERGENCE_PLACES])
        expected, margins = _top2(logits)
        made.append(Reference(prompt_ids=ids, answer_ids=answer, expected=expected, margins=margins, stopped=answer[-1] == end))
    return made


def weights_logits(model: Any) -> Logits:
    """A model of transformers as something to compare."""
    import torch

    def logits(prompt: list[int], answer: list[int]) -> Any:
        with torch.inference_mode():
            ids = torch.tensor([prompt + answer[:-1]])
            return model(input_ids=ids, logits_to_keep=len(answer)).logits[0].float().numpy()

    return logits


def weights_top1(model: Any) -> Top1:
    """The same, where only the most probable tokens are wanted."""
    return lambda prompt, answer: weights_logits(model)(prompt, answer).argmax(axis=-1).tolist()


def agreement(top1: Top1, wanted: Sequence[Reference]) -> Agreement:
    """Hold a model against the references. Each token is asked after the reference's own tokens, so one flip costs one token."""
    return _counted([top1(one.prompt_ids, one.answer_ids) for one in wanted], wanted)


def compared(logits: Logits, wanted: Sequence[Reference], trained: Any, base: Any) -> Agreement:
    """As `agreement`, and how far the model's distributions are from those of the trained model and of its base.

    Args:
        trained: Log-probabilities (`DIVERGENCE_PLACES` of each reference's answer tokens, one after the other; vocabulary) of the
            trained model; `base`: of its base.
    """
    found, at, kl, kl_base = [], 0, 0.0, 0.0
    for one in wanted:
        every = logits(one.prompt_ids, one.answer_ids)
        found.append(every.argmax(axis=-1).tolist())
        said = log_softmax(every[:DIVERGENCE_PLACES])
        to = at + len(said)
        kl, kl_base = kl + divergences(trained[at:to], said).sum(), kl_base + divergences(base[at:to], said).sum()
        at = to
    counted = _counted(found, wanted)
    return counted.model_copy(update={"kl": float(kl / at), "kl_base": float(kl_base / at)})


def log_softmax(logits: Any) -> Any:
    """Log-probabilities along the last axis."""
    import numpy as np

    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def divergences(wanted: Any, said: Any) -> Any:
    """KL(wanted ‖ said) of each row, in nats; both are log-probabilities. A padded vocabulary counts as far as both have it."""
    import numpy as np

    shared = min(wanted.shape[-1], said.shape[-1])
    wanted, said = wanted[..., :shared], said[..., :shared]
    return np.maximum(0.0, (np.exp(wanted) * (wanted - said)).sum(axis=-1, dtype=np.float64))


def greedy_answers(model: Any, prompts: list[list[int]], end: int, max_new_tokens: int) -> list[list[int]]:
    """Each prompt's continuation up to and with its end mark."""
    import torch
    from transformers import GenerationConfig

    padded, mask = pad_left(prompts, end)
    config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=end, pad_token_id=end)
    with torch.inference_mode():
        out = model.generate(input_ids=torch.tensor(padded), attention_mask=torch.tensor(mask), generation_config=config)
    answers = out[:, len(padded[0]) :].tolist()
    return [answer[: answer.index(end) + 1] if end in answer else answer for answer in answers]


def _counted(found: Sequence[list[int]], wanted: Sequence[Reference]) -> Agreement:
    flips, tokens = [], 0
    for place, (one, said) in enumerate(zip(wanted, found, strict=True)):
        tokens += len(one.expected)
        for position, token in enumerate(said):
            if token != one.expected[position]:
                margin = round(one.margins[position], 4)
                flips.append(Flip(prompt=place, position=position, expected=one.expected[position], found=token, margin=margin))
    same = len(wanted) - len({flip.prompt for flip in flips})
    return Agreement(tokens=tokens, top1=1 - len(flips) / tokens, greedy=same / len(wanted), flips=flips)


def _top2(logits: Any) -> tuple[list[int], list[float]]:
    import numpy as np

    best = np.sort(logits, axis=-1)[:, -2:]
    return logits.argmax(axis=-1).tolist(), (best[:, 1] - best[:, 0]).tolist()
