"""Whether the chat template lets training and serving mean the same: where an answer begins, and what ends it."""

from collections.abc import Iterator
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers.base import TaskHandler
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, prompt_text
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.preflight.finding import Finding, blocker, warning

_ANSWER = "ANSWER"
_STEP = "Choose another --base-model, or give its tokenizer the chat template that it was trained with."


def check_template(tokenizer: Any, handler: TaskHandler, row: PreparedRow) -> Iterator[Finding]:
    """What the template makes of a row, as it is asked."""
    prompt = handler.live_prompt(row.payload)
    try:
        asked = prompt_text(tokenizer, prompt)
    except StageError as refused:
        said = "; ".join(part for part in (refused.where, refused.cause) if part)
        yield blocker("template_unusable", said, "a template that writes these messages", _STEP, fatal=True)
        return
    yield from _mask(tokenizer, prompt, asked)
    yield from _end(tokenizer)


def _mask(tokenizer: Any, prompt: Prompt, asked: str) -> Iterator[Finding]:
    """The supervised part begins where a served answer begins: what the template writes before one must end the prompt."""
    talk = [*prompt.messages, {"role": "assistant", "content": _ANSWER}]
    whole: str = tokenizer.apply_chat_template(talk, tokenize=False)
    before = whole.rpartition(_ANSWER)[0]
    if before.rstrip() == asked.rstrip():
        return
    between = before.removeprefix(asked) if before.startswith(asked) else before[-40:]
    opened = asked.rstrip() != str(tokenizer.apply_chat_template(list(prompt.messages), tokenize=False)).rstrip()
    tell = warning if opened and before.startswith(asked) else blocker  # some formats put an empty thought first
    limit = "nothing between a prompt and its answer"
    yield tell("template_mask_missing", f"an answer comes after {between!r}, which no prompt ends with", limit, _STEP)


def _end(tokenizer: Any) -> Iterator[Finding]:
    try:
        end_token_id(tokenizer)
    except TypeError:  # there is no eos to fall back on
        measured = "the template writes no token after an answer, and the tokenizer has no eos"
        yield blocker("stop_token_missing", measured, "a token that ends an answer and is supervised", _STEP, fatal=True)
