"""A question and its answer, for `qa`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.rows import RowReason


class QaPairPassthrough(Mapper):
    """Question and answer columns → {question, answer}.

    The layout that Alpaca made known has a third column: what the instruction speaks of. Where a row fills it, it
    follows the question after an empty line.
    """

    id = "qa_pair_passthrough"
    task_profile = "qa"
    meaning = "A question column and an answer column; or instruction, input and output (Alpaca)."
    fields = {
        "question": Field(("question", "prompt", "instruction", "query", "problem", "input"), "What is asked."),
        "input": Field(("input",), "What the question speaks of; may be empty in a row.", required=False),
        "answer": Field(
            ("answer", "response", "completion", "output", "reply", "solution", "target_text", "answers"),
            "The right answer; of a list the first.",
        ),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Both, or which of them is missing."""
        question = self.text(values, "question", RowReason.MISSING_QUESTION, RowReason.MISSING_QUESTION)
        if isinstance(question, Refused):
            return question
        answer = self.answer(values, "answer")
        if isinstance(answer, Refused):
            return answer
        about = self.value(values, "input")
        asked = f"{question}\n\n{about}" if isinstance(about, str) and about.strip() else question
        return {"question": asked, "answer": answer}
