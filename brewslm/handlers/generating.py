"""Handlers whose model writes a text."""

from collections.abc import Sequence
from typing import Any, ClassVar

from brewslm.errors import StageError
from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.handlers.faults import Fault, text_faults
from brewslm.handlers.nearest import nearest
from brewslm.models.prompt import Predictor
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import PreparedRow

MOST_NAME = 200
"""Characters of a file's name that stand for it: a data: address holds all of its content."""


class GeneratingHandler(TaskHandler):
    """A task whose right answer is a text that the model writes freely."""

    max_new_tokens: ClassVar[int]
    """Where an answer is cut off that does not end: room for every answer that the metrics can judge."""

    def compared(self, payload: dict[str, Any]) -> str:
        """The text by which rows are near each other."""
        return self.question(payload)

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """How the text differs from the right one."""
        return text_faults(str(self.expected(payload)).strip(), str(prediction.output).strip())

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The generated answer of each row."""
        return said(rows, predictor.generate([self.prompt(row.payload) for row in rows], self.max_new_tokens))

    def with_likelihoods(
        self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction], predictor: Predictor
    ) -> list[Prediction]:
        """The predictions with how probable the right answers are; as they were where the predictor can't tell."""
        prompts, answers = [self.prompt(row.payload) for row in rows], [self.completion(row.payload) for row in rows]
        try:
            found = predictor.log_likelihoods(prompts, answers)
        except StageError as refused:
            if not isinstance(refused.reason, InvalidRequest):
                raise
            return list(predictions)
        return [
            prediction.model_copy(update={"log_likelihood": log_likelihood, "tokens": tokens})
            for prediction, (log_likelihood, tokens) in zip(predictions, found, strict=True)
        ]

    def nearest_answers(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> list[Prediction]:
        """The right answer of the nearest row of train."""
        places = nearest([self.compared(row.payload) for row in train], [self.compared(row.payload) for row in rows])
        return said(rows, [self.completion(train[place].payload) for place in places])


def said(rows: Sequence[PreparedRow], answers: Sequence[str]) -> list[Prediction]:
    """Answers as predictions, without the white space around them; an empty one is counted."""
    return [
        Prediction(row_id=row.row_id, output=answer.strip(), raw=answer, problems={} if answer.strip() else {"empty": 1})
        for row, answer in zip(rows, answers, strict=True)
    ]
