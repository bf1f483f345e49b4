"""A prompt and the harm that lies in it, for `safety`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused, as_label
from brewslm.rows import RowReason


class SafetyPrompt(Mapper):
    """Prompt and label columns → {prompt, label}, and {response} where a column holds what was answered."""

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
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The prompt first, then its label; an answer is kept where there is one."""
        prompt = self.text(values, "prompt", RowReason.MISSING_PROMPT, RowReason.MISSING_PROMPT)
        if isinstance(prompt, Refused):
            return prompt
        label = as_label(self.value(values, "label"))
        if label is None:
            return Refused(RowReason.MISSING_LABEL)
        response = self.value(values, "response")
        answered = isinstance(response, str) and response.strip()
        return {"prompt": prompt, "label": label} | ({"response": response} if answered else {})
