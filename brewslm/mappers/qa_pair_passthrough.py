"""A question and its answer, for `qa`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.rows import RowReason


class QaPairPassthrough(Mapper):
    """Question and answer columns → {question, answer}."""

    id = "qa_pair_passthrough"
    task_profile = "qa"
    meaning = "A question column and an answer column."
    fields = {
        "question": Field(("question", "prompt", "instruction", "query", "input"), "What is asked."),
        "answer": Field(("answer", "response", "completion", "output", "reply", "target_text"), "The right answer."),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Both, or which of them is missing."""
        question = self.text(values, "question", RowReason.MISSING_QUESTION, RowReason.MISSING_QUESTION)
        if isinstance(question, Refused):
            return question
        answer = self.text(values, "answer", RowReason.MISSING_ANSWER, RowReason.MISSING_ANSWER)
        if isinstance(answer, Refused):
            return answer
        return {"question": question, "answer": answer}
