"""The rows that a quantised variant is calibrated on, and those by which it is tried: of the train split, and never eval rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.models.agreement import divergences, log_softmax, weights_logits
from brewslm.models.gguf_model import GgufModel
from brewslm.models.importance import Importance, importance
from brewslm.models.loading import load_model
from brewslm.models.templates import example_ids
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.stages.export.job import ImportancePolicy

TRIED = 48
"""Answer tokens of a held-out row by which files are tried."""
LONGEST = 1024
"""Tokens of one row that are looked at: attention over a longer one would take more time than it tells."""


@dataclass(frozen=True)
class Calibration:
    """An importance matrix, and how near a file is to the trained model on rows that it was not made of.

    Attributes:
        values: None where there are too few rows; `why` says so.
        row_ids: Of the rows that it was made of; `held_out_ids`: of those that files are tried by.
        tried: (prompt ids, answer ids, the trained model's log-probabilities) of each of these.
    """

    values: Importance | None
    why: str
    row_ids: list[str]
    held_out_ids: list[str]
    tokens: int
    tried: list[tuple[list[int], list[int], Any]]

    def divergence(self, file: Path) -> float:
        """KL(trained ‖ file), mean over the answer tokens of the held-out rows, in nats."""
        model = GgufModel(file, max(len(prompt) + len(answer) for prompt, answer, _ in self.tried))
        try:
            each = [divergences(wanted, log_softmax(model.logits(prompt, answer))) for prompt, answer, wanted in self.tried]
        finally:
            model.close()
        return float(sum(one.sum() for one in each) / sum(map(len, each)))


def calibration_rows(data: PreparedData, policy: ImportancePolicy) -> tuple[list[PreparedRow], list[PreparedRow]]:
    """Rows to calibrate on, and rows to try by: no row of eval or gold is among them, whatever a manifest says.

    The second are dev rows; where there is no dev slice, a part of the train rows that the first then leave out.
    """
    train, dev = _not_held_out(data, data.train()), _not_held_out(data, data.dev())
    if not dev:
        tried = min(policy.held_out, len(train) // 4)
        train, dev = train[: len(train) - tried], train[len(train) - tried :]
    return _spread(train, policy.rows), _spread(dev, policy.held_out)


def train_rows(data: PreparedData) -> list[PreparedRow]:
    """Those of the train split, without its dev slice and without any row that stands in eval or gold too."""
    return _not_held_out(data, data.train())


def _not_held_out(data: PreparedData, rows: Sequence[PreparedRow]) -> list[PreparedRow]:
    held_out = {row.row_id for split in ("eval", "gold") for row in data.rows(split)}
    return [row for row in rows if row.row_id not in held_out]


def calibrated(folder: Path, data: PreparedData, tokenizer: Any, policy: ImportancePolicy) -> Calibration:
    """Ask the merged model in `folder` about training rows."""
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    rows, held_out = calibration_rows(data, policy)
    if not rows or not held_out:
        return Calibration(None, "there are too few training rows", [], [], 0, [])
    model = load_model(folder, precision="fp32")
    sequences: list[list[int]] = []
    used: list[str] = []
    for row in rows:
        ids, _ = _ids(handler, tokenizer, row)
        if sequences and sum(map(len, sequences)) + len(ids) > policy.tokens:
            break
        sequences.append(ids)
        used.append(row.row_id)
    tried = []
    for row in held_out:
        ids, asked = _ids(handler, tokenizer, row)
        if asked < len(ids):
            prompt, answer = ids[:asked], ids[asked : asked + TRIED]
            tried.append((prompt, answer, log_softmax(weights_logits(model)(prompt, answer))))
    values = importance(model, sequences)
    return Calibration(values, "", used, [row.row_id for row in held_out], sum(map(len, sequences)), tried)


def _ids(handler: TaskHandler, tokenizer: Any, row: PreparedRow) -> tuple[list[int], int]:
    ids, asked = example_ids(tokenizer, handler.prompt(row.payload), handler.completion(row.payload))
    return ids[:LONGEST], asked


def _spread(rows: Sequence[PreparedRow], count: int) -> list[PreparedRow]:
    """At most `count` of them, evenly spaced."""
    if len(rows) <= count:
        return list(rows)
    return [rows[place * len(rows) // count] for place in range(count)]
