"""An Ollama `Modelfile` for a GGUF file. It is written, and not run here: Ollama is not part of this product."""

from collections.abc import Sequence
from typing import Any

Messages = Sequence[dict[str, str]]
_ALONE: Messages = ({"role": "user", "content": "U3"},)
_TRIED: tuple[Messages, ...] = (
    ({"role": "system", "content": "S1"}, {"role": "user", "content": "U1"}),
    (
        {"role": "system", "content": "S2"}, {"role": "user", "content": "U2"}, {"role": "assistant", "content": "A2"},
        {"role": "user", "content": "V2"},
    ),
)  # fmt: skip
"""Conversations at which a translated template must write what the tokenizer's own writes."""


def modelfile(tokenizer: Any, end: int, file_name: str, context: int, licence: str) -> str:
    """The Modelfile.

    Args:
        end: The id that ends an answer.
        context: Tokens of the longest conversation.
    """
    stop = tokenizer.decode([end])
    lines = [
        "# Written by BrewSLM. Not run here: Ollama is not part of it.",
        f"FROM ./{file_name}",
        f'PARAMETER stop "{stop}"',
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1",
        f"PARAMETER num_ctx {context}",
    ]
    translated = go_template(tokenizer, stop)
    if translated is None:
        lines.append("# This chat template has no turns that Ollama's language can write: Ollama takes that of the GGUF file.")
    else:
        template, system = translated
        lines.append(f'TEMPLATE """{template}"""')
        if system:
            lines.append(f'SYSTEM """{system}"""')
    if licence:
        lines.append(f'LICENSE """{licence}"""')
    return "\n".join(lines) + "\n"


def go_template(tokenizer: Any, stop: str) -> tuple[str, str] | None:
    """The chat template in Ollama's language (Go's text/template), for formats whose turns all end alike (ChatML and its like).

    Returns:
        The template, and the system message that it writes where a talk has none ("" for nothing). None where the translation
        does not write, for each of `_TRIED`, what the tokenizer's own template writes; or where that writes the date.
    """
    whole = _render(tokenizer, _TRIED[1])
    parts = _turns(whole, stop)
    if parts is None or "strftime" in str(tokenizer.chat_template) or any(mark in whole for mark in ("{{", '"""')):
        return None
    opened, closed, begin = parts
    if any(_assembled(opened, closed, begin, messages) != _render(tokenizer, messages) for messages in _TRIED):
        return None
    without = _render(tokenizer, _ALONE)
    system = without.removeprefix(begin + opened["system"]).partition(closed)[0] if "system" in without else ""
    spoken = ({"role": "system", "content": system}, *_ALONE) if system else _ALONE
    if _assembled(opened, closed, begin, spoken) != without:
        return None
    turns = "".join(
        f'{{{{ {"if" if place == 0 else "else if"} eq .Role "{role}" }}}}{opened[role]}{{{{ .Content }}}}{closed}'
        for place, role in enumerate(("system", "user", "assistant"))
    )
    return f"{begin}{{{{ range .Messages }}}}{turns}{{{{ end }}}}{{{{ end }}}}{opened['assistant']}", system


def _render(tokenizer: Any, messages: Messages) -> str:
    from jinja2 import TemplateError

    try:
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))
    except TemplateError:
        return ""


def _turns(text: str, stop: str) -> tuple[dict[str, str], str, str] | None:
    """What opens each role's turn, what closes all, and what stands before the first; None where they are not so."""
    gaps, rest = [], text
    for content in ("S2", "U2", "A2", "V2"):
        gap, found, rest = rest.partition(content)
        if not found:
            return None
        gaps.append(gap)
    if any(stop not in gap for gap in (*gaps[1:], rest)):
        return None
    first, to_user, to_assistant, _ = gaps
    closed = stop + "\n" * (len(to_user.partition(stop)[2]) - len(to_user.partition(stop)[2].lstrip("\n")))
    user, assistant = to_user.removeprefix(closed), to_assistant.removeprefix(closed)
    # "system" stands where "user" stands in the other turns' opening: what comes before it is written once.
    place = first.find(user.replace("user", "system")) if "user" in user else -1
    if place < 0:
        return None
    return {"system": first[place:], "user": user, "assistant": assistant}, closed, first[:place]


def _assembled(opened: dict[str, str], closed: str, begin: str, messages: Messages) -> str:
    turns = "".join(f"{opened[one['role']]}{one['content']}{closed}" for one in messages)
    return f"{begin}{turns}{opened['assistant']}"
