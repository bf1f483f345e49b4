"""From messages to token ids: the same ids in training, evaluation and serving."""

from collections.abc import Sequence
from typing import Any, Literal

from brewslm.models.prompt import Prompt

Style = Literal["chat", "plain"]
_ANSWER = "ANSWER"


def prompt_text(tokenizer: Any, prompt: Prompt, style: Style = "chat") -> str:
    """The text that a model is given to continue."""
    if style == "plain":
        return prompt.plain
    text: str = tokenizer.apply_chat_template(list(prompt.messages), tokenize=False, add_generation_prompt=True)
    return text


def prompt_ids(tokenizer: Any, prompt: Prompt, style: Style = "chat") -> list[int]:
    """The ids of that text. Special tokens come from the template alone: a second <bos> would shift every position."""
    return text_ids(tokenizer, prompt_text(tokenizer, prompt, style))


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text, without any token added."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def example_ids(tokenizer: Any, prompt: Prompt, completion: str) -> tuple[list[int], int]:
    """A training example: prompt, completion and end mark.

    Prompt and completion are tokenised apart, as they are when a model generates after the prompt.

    Returns:
        The ids, and how many of them are the prompt's (not supervised). The last id is the end mark, which is supervised.
    """
    asked = prompt_ids(tokenizer, prompt)
    return asked + text_ids(tokenizer, completion) + [end_token_id(tokenizer)], len(asked)


def example_lengths(tokenizer: Any, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[int]:
    """How many ids each training example has: as example_ids would make them, many at once."""
    asked = [prompt_text(tokenizer, prompt) for prompt in prompts]
    counts = [
        [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] for texts in (asked, list(completions))
    ]
    return [prompt + completion + 1 for prompt, completion in zip(*counts, strict=True)]


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
        if written and written[0] in tokenizer.all_special_ids:
            end = written[0]
    tokenizer._brewslm_end = end
    return int(end)


def pad_left(sequences: Sequence[Sequence[int]], pad: int) -> tuple[list[list[int]], list[list[int]]]:
    """Ids and attention mask, each (sequences, longest), padded on the left so that every last token is a real one."""
    longest = max(len(ids) for ids in sequences)
    padded = [[pad] * (longest - len(ids)) + list(ids) for ids in sequences]
    mask = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in sequences]
    return padded, mask
