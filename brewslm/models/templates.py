"""From messages to token ids: the same ids in training, evaluation and serving."""

from collections.abc import Sequence
from typing import Any, Literal

from brewslm.errors import StageError
from brewslm.models.prompt import WHOLE_TEXT, Prompt
from brewslm.models.template_guard import marks_of, neutral
from brewslm.reasons.refusals import TemplateUnusable

Style = Literal["chat", "plain"]
_ANSWER = "ANSWER"


def prompt_text(tokenizer: Any, prompt: Prompt, style: Style = "chat") -> str:
    """The text that a model is given to continue. No text of a message becomes a control token (`template_guard`).

    Raises:
        StageError(TemplateUnusable): There is no chat template, or it can't write these messages.
    """
    if style == "plain":
        return neutral(prompt.plain, marks(tokenizer))
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise StageError(TemplateUnusable(), cause="its tokenizer has none")
    try:
        text: str = tokenizer.apply_chat_template(list(prompt.messages), tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        roles = ", ".join(message["role"] for message in prompt.messages)
        raise StageError(TemplateUnusable(), where=f"messages of {roles}", cause=str(error)[:200]) from None
    return text


def prompt_ids(tokenizer: Any, prompt: Prompt, style: Style = "chat") -> list[int]:
    """The ids of that text. Special tokens come from the template alone: a second <bos> would shift every position.

    Before a whole text stands the token that texts begin with, or, where the tokenizer has none, the one that ends them.
    """
    if prompt == WHOLE_TEXT:
        begin = tokenizer.bos_token_id
        return [end_token_id(tokenizer) if begin is None else begin]
    return text_ids(tokenizer, prompt_text(tokenizer, prompt, style))


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text, without any token added."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def answer_ids(tokenizer: Any, text: str) -> list[int]:
    """The ids of an answer, without its end mark: a control token's name in it is text, and ends nothing."""
    return text_ids(tokenizer, neutral(text, marks(tokenizer)))


def example_ids(tokenizer: Any, prompt: Prompt, completion: str) -> tuple[list[int], int]:
    """A training example: prompt, completion and end mark.

    Prompt and completion are tokenised apart, as they are when a model generates after the prompt.

    Returns:
        The ids, and how many of them are the prompt's (not supervised). The last id is the end mark, which is supervised.
    """
    asked = prompt_ids(tokenizer, prompt)
    return asked + answer_ids(tokenizer, completion) + [end_token_id(tokenizer)], len(asked)


def example_lengths(tokenizer: Any, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[int]:
    """How many ids each training example has: as example_ids would make them, many at once."""
    asked = ["" if prompt == WHOLE_TEXT else prompt_text(tokenizer, prompt) for prompt in prompts]
    answers = [neutral(completion, marks(tokenizer)) for completion in completions]
    counts = [[len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] for texts in (asked, answers)]
    return [max(prompt, 1) + completion + 1 for prompt, completion in zip(*counts, strict=True)]


def end_token_id(tokenizer: Any) -> int:
    """The token that ends an assistant's turn: what the template writes right after an answer, or else the tokenizer's eos."""
    cached = getattr(tokenizer, "_brewslm_end", None)
    if cached is not None:
        return int(cached)
    end = tokenizer.eos_token_id
    if tokenizer.chat_template:
        turn = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": _ANSWER}]
        after = tokenizer.apply_chat_template(turn, tokenize=False).rpartition(_ANSWER)[2]
        written = text_ids(tokenizer, after)
        if written and written[0] in tokenizer.added_tokens_decoder and tokenizer.decode(written[:1]).strip():
            end = written[0]
    tokenizer._brewslm_end = end
    return int(end)


def marks(tokenizer: Any) -> tuple[str, ...]:
    """The tokenizer's marks, found once: texts that would become control tokens (`template_guard`)."""
    kept: tuple[str, ...] | None = getattr(tokenizer, "_brewslm_marks", None)
    if kept is None:
        kept = tokenizer._brewslm_marks = marks_of(tokenizer)
    return kept


def pad_left(sequences: Sequence[Sequence[int]], pad: int) -> tuple[list[list[int]], list[list[int]]]:
    """Ids and attention mask, each (sequences, longest), padded on the left so that every last token is a real one."""
    longest = max(len(ids) for ids in sequences)
    padded = [[pad] * (longest - len(ids)) + list(ids) for ids in sequences]
    mask = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in sequences]
    return padded, mask
