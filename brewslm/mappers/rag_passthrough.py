"""A question, what it is to be answered from, and its answer, for `rag_qa`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused, as_label, as_list
from brewslm.rows import RowReason

NOT_IN_CONTEXT = "The context does not say."
"""The answer of a row that its context doesn't answer."""


class RagPassthrough(Mapper):
    """Question, context and answer columns → {question, context, answer}.

    Where a column says that the context does not answer the question, the answer is a fixed sentence that says so.
    """

    id = "rag_passthrough"
    task_profile = "rag_qa"
    meaning = "A question, the passages that answer it, and the answer."
    fields = {
        "question": Field(("question", "query", "prompt", "instruction"), "What is asked."),
        "context": Field(
            ("context", "contexts", "passage", "passages", "document", "documents", "evidence", "story"),
            "A text, or a list of texts that an empty line will part.",
        ),
        "answer": Field(
            ("answer", "answers", "response", "output", "completion", "ground_truth"),
            "The right answer; of a list the first.",
        ),
        "answerable": Field(
            ("answerable", "is_answerable", "has_answer"), "Whether the context answers the question.", required=False
        ),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """All three, or which of them is missing."""
        question = self.text(values, "question", RowReason.MISSING_QUESTION, RowReason.MISSING_QUESTION)
        if isinstance(question, Refused):
            return question
        context = self._context(values)
        if isinstance(context, Refused):
            return context
        if (as_label(self.value(values, "answerable")) or "").lower() in ("false", "0", "no"):
            return {"question": question, "context": context, "answer": NOT_IN_CONTEXT}
        answer = self.answer(values, "answer")
        return answer if isinstance(answer, Refused) else {"question": question, "context": context, "answer": answer}

    def _context(self, values: dict[str, Any]) -> str | Refused:
        passages = as_list(self.value(values, "context"))
        if passages and all(isinstance(passage, str) for passage in passages):
            text = "\n\n".join(passages)
            return text if text.strip() else Refused(RowReason.MISSING_CONTEXT)
        return self.text(values, "context", RowReason.MISSING_CONTEXT, RowReason.MISSING_CONTEXT)
