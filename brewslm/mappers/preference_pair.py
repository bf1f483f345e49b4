"""Two answers of which one is better, for `preference` (DPO, ORPO)."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.messages import as_lines, read_messages, split_reply
from brewslm.rows import RowReason


class PreferencePair(Mapper):
    """Prompt, chosen and rejected columns → {prompt, chosen, rejected}.

    An answer may be a text, or a list of messages: then it is the assistant's last one, and without a prompt column the
    prompt is what the chosen talk says before it.
    """

    id = "preference_pair"
    task_profile = "preference"
    meaning = "A better and a worse answer to one prompt."
    fields = {
        "prompt": Field(
            ("prompt", "question", "instruction", "query", "input", "context"),
            "What was asked; may be left out where the answers are lists of messages.",
            required=False,
        ),
        "chosen": Field(
            ("chosen", "chosen_response", "preferred", "response_chosen", "accepted", "better"), "The better answer."
        ),
        "rejected": Field(
            ("rejected", "rejected_response", "dispreferred", "response_rejected", "worse", "loser"), "The worse answer."
        ),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The three, or which of them is missing."""
        chosen = self._answer(values, "chosen", RowReason.MISSING_CHOSEN)
        if isinstance(chosen, Refused):
            return chosen
        rejected = self._answer(values, "rejected", RowReason.MISSING_REJECTED)
        if isinstance(rejected, Refused):
            return rejected
        prompt = self._prompt(values, chosen[0])
        if isinstance(prompt, Refused):
            return prompt
        if chosen[1].strip() == rejected[1].strip():
            return Refused(RowReason.IDENTICAL_PAIR)
        return {"prompt": prompt, "chosen": chosen[1], "rejected": rejected[1]}

    def _answer(self, values: dict[str, Any], field: str, missing: RowReason) -> tuple[str, str] | Refused:
        """What led to an answer ("" where the row does not say), and the answer."""
        found = self.value(values, field)
        if isinstance(found, list):
            messages = read_messages(found)
            reply = messages if isinstance(messages, Refused) else split_reply(messages)
            return reply if isinstance(reply, Refused) else (as_lines(reply[0]), reply[1])
        text = self.text(values, field, missing, missing)
        return text if isinstance(text, Refused) else ("", text)

    def _prompt(self, values: dict[str, Any], before: str) -> str | Refused:
        found = self.value(values, "prompt")
        if isinstance(found, list):
            messages = read_messages(found)
            return messages if isinstance(messages, Refused) else as_lines(messages)
        if "prompt" in self.columns:
            return self.text(values, "prompt", RowReason.MISSING_PROMPT, RowReason.MISSING_PROMPT)
        return before or Refused(RowReason.MISSING_PROMPT)
