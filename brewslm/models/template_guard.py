"""A chat template that says the same to everyone: what is put before a model's own template when it is loaded, and exported.

- A user who writes `<|im_end|>` must not close the turn. The tokenizer and llama.cpp both turn such a text into the control
  token, wherever it stands. So an invisible joiner is put inside each mark that a message holds, before the template is applied.
- Some templates have no place for a system text: they raise, or drop it. It then stands before the user's next words, as
  Gemma 3's own template puts it.
- Some write today's date, so that a model is asked otherwise tomorrow than it was trained. The date is fixed.

All of it is written in Jinja, so that it goes with the model into the GGUF file and to every server that reads the template:
training, evaluation and serving see the same ids without knowing of each other.
"""

import json
import re
from datetime import date
from typing import Any

JOINER = "\u2060"
"""WORD JOINER: no one sees it, and no mark of any tokenizer has it."""
FIXED_DATE = date(2024, 7, 26)
"""The day that Llama 3.2's own template falls back on."""
_SIGN = "{#- brewslm: guarded -#}"
_PROBE = "SYSTEMPROBE"
_NUMBERED = re.compile(r"(?<=\D{4})\d+\W*$")
_DATE_FORMAT = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


def guarded(tokenizer: Any) -> str | None:
    """The tokenizer's template with the guard before it; None where it has none."""
    template = _own_template(tokenizer)
    if template is None or template.startswith(_SIGN):
        return template
    return _SIGN + _dates(template) + _messages(marks_of(tokenizer), fold_system=not _takes_system(tokenizer)) + template


def marks_of(tokenizer: Any) -> tuple[str, ...]:
    """Texts that would become control tokens; of numbered ones (`<|reserved_special_token_7|>`) what they begin with.

    They are the tokenizer's special tokens, and whatever else of its added tokens the template writes around a user's words.
    """
    written = _rendered(tokenizer, [{"role": "user", "content": "Q"}]) or ""
    found = {
        _NUMBERED.sub("", token.content)
        for token in tokenizer.added_tokens_decoder.values()
        if len(token.content.strip()) > 1 and (token.special or token.content in written)
    }
    return tuple(sorted(mark for mark in found if not any(other in mark for other in found - {mark})))


def neutral(text: str, marks: tuple[str, ...]) -> str:
    """The text with every mark broken: what the guard does to a message, for an answer that is trained on."""
    for mark in marks:
        text = text.replace(mark, _broken(mark))
    return text


def _broken(mark: str) -> str:
    """A joiner after the first character; and behind the last, where another such mark could begin inside this one."""
    overlaps = any(mark.endswith(mark[:length]) for length in range(1, len(mark)))
    return mark[0] + JOINER + mark[1:] + (JOINER if overlaps else "")


def _own_template(tokenizer: Any) -> str | None:
    own = tokenizer.chat_template
    return own.get("default") if isinstance(own, dict) else own


def _takes_system(tokenizer: Any) -> bool:
    """Whether a system text comes out of the template at all."""
    talk = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "Q"}]
    return _PROBE in (_rendered(tokenizer, talk) or "") or _rendered(tokenizer, talk[1:]) is None


def _rendered(tokenizer: Any, talk: list[dict[str, str]]) -> str | None:
    """What the template makes of it; None where it has none, or refuses."""
    from jinja2 import TemplateError

    own = _own_template(tokenizer)
    try:
        text: str | None = tokenizer.apply_chat_template(talk, tokenize=False, chat_template=own) if own else None
    except (TemplateError, TypeError):  # a template that adds its own text to what is not there
        return None
    return text


def _dates(template: str) -> str:
    """A macro in the place of the function that tells today's date, for each format that the template asks for."""
    formats = sorted({match[2] for match in _DATE_FORMAT.finditer(template)})
    if not formats:
        return ""
    said = "".join(f"{{%- if format == {json.dumps(one)} -%}}{FIXED_DATE.strftime(one)}{{%- endif -%}}" for one in formats)
    return "{%- macro strftime_now(format) -%}" + said + "{%- endmacro -%}"


def _messages(marks: tuple[str, ...], *, fold_system: bool) -> str:
    """The loop that makes `messages` anew. What it does not change it passes on as it is, tool calls and all."""
    broken = "".join(
        f" | replace({json.dumps(mark, ensure_ascii=False)}, {json.dumps(_broken(mark), ensure_ascii=False)})" for mark in marks
    )
    keep = "{%- set guard.said = guard.said + [message] -%}"
    remade = "{%- set guard.said = guard.said + [{'role': message['role'], 'content': guard.text}] -%}"
    loop = (
        "{%- set guard = namespace(said=[], text='', system='') -%}{%- for message in messages -%}"
        "{%- if message['content'] is string -%}{%- set guard.text = message['content']" + broken + " -%}"
        + (_FOLD if fold_system else "{%- if true -%}")
        + "{%- if guard.text == message['content'] -%}" + keep + "{%- else -%}" + remade + "{%- endif -%}{%- endif -%}"
        "{%- else -%}" + keep + "{%- endif -%}{%- endfor -%}"
    )  # fmt: skip
    return loop + (_LEFT_OVER if fold_system else "") + "{%- set messages = guard.said -%}"


_FOLD = (
    "{%- if message['role'] == 'system' -%}{%- set guard.system = guard.system + guard.text + '\\n\\n' -%}{%- else -%}"
    "{%- if message['role'] == 'user' -%}{%- set guard.text = guard.system + guard.text -%}"
    "{%- set guard.system = '' -%}{%- endif -%}"
)
_LEFT_OVER = (
    "{%- if guard.system -%}{%- set guard.said = guard.said + [{'role': 'user', 'content': guard.system}] -%}{%- endif -%}"
)
