"""Talks in which every assistant turn is supervised: which tokens of the whole talk the model would have had to say."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from brewslm.models.prompt import Message, Prompt
from brewslm.models.template_guard import neutral
from brewslm.models.templates import answer_ids, end_token_id, marks, prompt_text

Range = tuple[int, int]
"""From the first to behind the last."""


class TurnsRewritten(ValueError):
    """The template writes an earlier turn otherwise than the model had to say it then: that would teach another talk."""


def talk_ids(tokenizer: Any, messages: Sequence[Message], reply: str) -> tuple[list[int], list[Range]]:
    """A talk with every assistant turn to be learned.

    The messages are tokenised whole, as they are when the model is asked for the reply, which comes after them as in
    `example_ids`.

    Returns:
        The ids, and the ranges of them that are supervised: each turn's words and end mark, the reply's last.

    Raises:
        TurnsRewritten: What the model was given at an earlier turn is not how the whole talk begins.
        StageError(TemplateUnusable): The template can't write these messages.
    """
    text = prompt_text(tokenizer, Prompt(tuple(messages), plain=""))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    asked: list[int] = encoded["input_ids"]
    said = _within(encoded["offset_mapping"], _turns(tokenizer, messages, text))
    answer = [*answer_ids(tokenizer, reply), end_token_id(tokenizer)]
    return asked + answer, [*said, (len(asked), len(asked) + len(answer))]


def _turns(tokenizer: Any, messages: Sequence[Message], text: str) -> list[Range]:
    """Where in the text each assistant turn stands: from the end of what the model was given to behind its end mark."""
    end, found = _end_mark(tokenizer), []
    for place, message in enumerate(messages):
        if message["role"] != "assistant" or not any(one["role"] == "user" for one in messages[:place]):
            continue  # a greeting before any question is no answer to one
        given = prompt_text(tokenizer, Prompt(tuple(messages[:place]), plain=""))
        words = neutral(message["content"], marks(tokenizer)).strip()
        start = len(given) + _space(text, len(given))
        if not text.startswith(given) or not text.startswith(words, start):
            raise TurnsRewritten(f"message {place + 1}")
        stop = start + len(words)
        after = stop + _space(text, stop)
        found.append((len(given), after + len(end) if text.startswith(end, after) else stop))
    return found


def _space(text: str, at: int) -> int:
    return len(text) - at - len(text[at:].lstrip())


def _end_mark(tokenizer: Any) -> str:
    mark: str = tokenizer.convert_ids_to_tokens(end_token_id(tokenizer))
    return mark


def _within(offsets: Sequence[Range], regions: Sequence[Range]) -> list[Range]:
    """The tokens that lie wholly within each region of the text.

    Some tokenizers leave white space out of a token's offsets: a token is taken to begin where the one before it ends.
    """
    ends = list(accumulate((stop for _, stop in offsets), max))
    starts = [min(start, before) for (start, _), before in zip(offsets, [0, *ends], strict=False)]
    ranges = [(bisect_left(starts, start), bisect_right(ends, stop)) for start, stop in regions]
    return [(first, last) for first, last in ranges if first < last]
