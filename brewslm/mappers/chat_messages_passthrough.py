"""Conversations, for `chat_sft`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.messages import as_lines, read_messages, split_reply
from brewslm.rows import RowReason


class ChatMessagesPassthrough(Mapper):
    """A list of messages → {prompt, reference, messages}.

    `reference` is the assistant's last message, `prompt` all before it as lines, and `messages` the whole talk with the
    roles system, user and assistant.
    """

    id = "chat_messages_passthrough"
    task_profile = "chat_sft"
    meaning = "A column of message lists: role and content (OpenAI), or from and value (ShareGPT)."
    fields = {
        "messages": Field(("messages", "conversations", "conversation", "dialog", "chat"), "The messages of a talk, in order."),
        "system": Field(("system", "system_prompt"), "A system message in a column of its own; may be empty.", required=False),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The talk, its last answer, and what led to it."""
        messages = read_messages(self.value(values, "messages"))
        if isinstance(messages, Refused):
            return messages
        system = self.value(values, "system")
        if isinstance(system, str) and system.strip():
            if messages[0]["role"] == "system":
                return Refused(RowReason.INVALID_MESSAGES_SHAPE, "a system message stands in both columns")
            messages.insert(0, {"role": "system", "content": system})
        reply = split_reply(messages)
        if isinstance(reply, Refused):
            return reply
        return {"prompt": as_lines(reply[0]), "reference": reply[1], "messages": messages}
