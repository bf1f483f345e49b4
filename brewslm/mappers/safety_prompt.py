"""A prompt and the harm that lies in it, for `safety`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused, as_label
from brewslm.rows import RowReason

_OF_SAFE = {"true": "harmless", "1": "harmless", "yes": "harmless", "false": "harmful", "0": "harmful", "no": "harmful"}


class SafetyPrompt(Mapper):
    """Prompt and label columns → {prompt, label}, and {response} and {attack} where columns hold them.

    Of a column whose name asks whether a prompt is safe, yes is written as harmless and no as harmful.
    """

    id = "safety_prompt"
    task_profile = "safety"
    meaning = "A prompt, and the kind of harm in it or whether there is any."
    fields = {
        "prompt": Field(("prompt", "question", "goal", "behavior", "instruction", "query", "request"), "What is asked."),
        "label": Field(
            ("harm_category", "risk_area", "types_of_harm", "is_harmful", "harmful", "is_safe", "unsafe", "safety", "label"),
            "The kind of harm, or whether there is any.",
        ),
        "response": Field(("response", "answer", "completion", "target"), "What was answered.", required=False),
        "attack": Field(("attack", "attack_type", "attack_method"), "The kind of attack: jailbreak, injection.", required=False),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The prompt first, then its label; an answer is kept where there is one."""
        prompt = self.text(values, "prompt", RowReason.MISSING_PROMPT, RowReason.MISSING_PROMPT)
        if isinstance(prompt, Refused):
            return prompt
        label = as_label(self.value(values, "label"))
        if label is None:
            return Refused(RowReason.MISSING_LABEL)
        if self._asks_for_safety:
            label = _OF_SAFE.get(label.lower(), label)
        further = {field: self.value(values, field) for field in ("response", "attack")}
        told = {field: value for field, value in further.items() if isinstance(value, str) and value.strip()}
        return {"prompt": prompt, "label": label} | told

    @property
    def _asks_for_safety(self) -> bool:
        column = self.columns["label"].lower()
        return "safe" in column and "unsafe" not in column
