"""Lists of chat messages: OpenAI's role and content, ShareGPT's from and value."""

from collections.abc import Sequence
from typing import Any

from brewslm.mappers.base import Refused, as_list
from brewslm.rows import RowReason

ROLE_KEYS, CONTENT_KEYS = ("role", "from"), ("content", "value", "text")
ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
"""What a role is called in the wild → what a chat template knows."""

Messages = list[dict[str, str]]


def is_message(item: Any) -> bool:
    """Whether something has the keys of a message."""
    return isinstance(item, dict) and any(key in item for key in ROLE_KEYS) and any(key in item for key in CONTENT_KEYS)


def read_messages(value: Any) -> Messages | Refused:
    """The messages of a list (or of its JSON in a CSV cell), each as role and content; or why they are none.

    One unreadable message refuses the whole list: a talk with a hole in it teaches something else.
    """
    listed = as_list(value)
    if not listed:
        return Refused(RowReason.MISSING_MESSAGES)
    messages: Messages = []
    for number, item in enumerate(listed, 1):
        if not is_message(item):
            return Refused(RowReason.INVALID_MESSAGES_SHAPE, f"message {number} has not the keys of a message")
        said = next(item[key] for key in ROLE_KEYS if key in item)
        role = ROLES.get(said.strip().lower()) if isinstance(said, str) else None
        content = _content(next(item[key] for key in CONTENT_KEYS if key in item))
        if role is None:
            return Refused(RowReason.INVALID_MESSAGES_SHAPE, f"message {number}: role {str(said)[:40]!r} is not known")
        if content is None:
            return Refused(RowReason.INVALID_MESSAGES_SHAPE, f"message {number}: its content is no text")
        messages.append({"role": role, "content": content})
    empty = [number for number, message in enumerate(messages, 1) if not message["content"].strip()]
    if len(empty) == len(messages):
        return Refused(RowReason.NO_VALID_TURNS)
    if empty:
        return Refused(RowReason.INVALID_MESSAGES_SHAPE, f"message {empty[0]} is empty")
    return messages


def split_reply(messages: Messages) -> tuple[Messages, str] | Refused:
    """What came before the assistant's last message, and that message."""
    last = next((place for place in reversed(range(len(messages))) if messages[place]["role"] == "assistant"), None)
    if last is None:
        return Refused(RowReason.MISSING_ASSISTANT_REPLY)
    before = messages[:last]
    if not any(message["role"] == "user" for message in before):
        return Refused(RowReason.MISSING_PROMPT)
    return before, messages[last]["content"]


def as_lines(messages: Sequence[dict[str, str]]) -> str:
    """Messages as text, `role: content`, one below the other."""
    return "\n".join(f"{message['role']}: {message['content']}" for message in messages)


def _content(value: Any) -> str | None:
    """A text, also in OpenAI's parts; None where a part is an image or another thing that is no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in value):
        return "".join(part["text"] for part in value)
    return None
