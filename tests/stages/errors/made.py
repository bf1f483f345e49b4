"""Evaluated rows, made by hand: the handler is a real one, the answers are written down."""

from typing import Any

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.rows.manifest import OutputSchema, PreparedRow

LABELS = ["negative", "neutral", "positive"]
SOURCES = {"r" + "a" * 16: "a.csv", "r" + "b" * 16: "b.csv"}


def labels_handler() -> TaskHandler:
    return handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))


def evaluated(
    handler: TaskHandler, payloads: list[dict[str, Any]], outputs: list[Any], **more: list[Any]
) -> tuple[list[PreparedRow], list[dict[str, Any]]]:
    """Rows, every second one of each source, and their lines of a predictions file."""
    rows = [
        PreparedRow(row_id=f"r{('a' if place % 2 else 'b') * 16}-{place}", payload=payload)
        for place, payload in enumerate(payloads)
    ]
    predictions = [Prediction(row_id=row.row_id, output=output) for row, output in zip(rows, outputs, strict=True)]
    correct = [one.output == handler.expected(row.payload) for row, one in zip(rows, predictions, strict=True)]
    lines = [
        prediction.model_dump(mode="json") | {"correct": right} | {name: values[place] for name, values in more.items()}
        for place, (prediction, right) in enumerate(zip(predictions, correct, strict=True))
    ]
    return rows, lines
