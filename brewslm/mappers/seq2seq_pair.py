"""A text and what it is to be turned into, for `seq2seq`."""

from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.rows import RowReason


class Seq2SeqPair(Mapper):
    """Source and target columns → {source_text, target_text}: translation, summary, correction."""

    id = "seq2seq_pair"
    task_profile = "seq2seq"
    meaning = "A text and its translation, summary or other new form."
    fields = {
        "source_text": Field(
            ("source_text", "source", "src", "document", "article", "dialogue", "text", "input_text", "original"),
            "What is given.",
        ),
        "target_text": Field(
            ("target_text", "target", "tgt", "summary", "highlights", "abstract", "translation", "headline", "paraphrase"),
            "What it becomes.",
        ),
        "task": Field(("task", "subtask"), "translation, summarization, paraphrase, correction; or words.", required=False),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Both, or which of them is missing."""
        source = self.text(values, "source_text", RowReason.MISSING_SOURCE, RowReason.MISSING_SOURCE)
        if isinstance(source, Refused):
            return source
        target = self.text(values, "target_text", RowReason.MISSING_TARGET, RowReason.MISSING_TARGET)
        if isinstance(target, Refused):
            return target
        task = self.value(values, "task")
        return {"source_text": source, "target_text": target} | ({"task": task} if isinstance(task, str) and task.strip() else {})
