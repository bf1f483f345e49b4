"""What one system said on every row, how it was had, and what that is worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.models.prompt import Listener, TellingPredictor
from brewslm.models.templates import Style
from brewslm.rows import RowFile
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.evaluate.kept import Kept, KeptAnswers
from brewslm.stages.evaluate.scorecard import Speed, SystemScore


@dataclass(frozen=True)
class Answers:
    """One system's.

    Attributes:
        style: How it was asked; None where there is one way alone.
        seconds: That it took, all attempts together.
        kept: Of each row, the answers that its prediction was made from; [] of a baseline's.
        shot_rows: Ids of the rows of train that were shown with their answers before each prompt.
    """

    predictions: list[Prediction]
    scores: Scores
    style: Style | None
    seconds: float
    kept: list[list[Kept]]
    shot_rows: list[str] = field(default_factory=list)

    @property
    def scoring(self) -> str | None:
        """How the answers were had: of a row that was asked twice, the first time. None for a baseline."""
        return "+".join(sorted({row[0].told.scoring for row in self.kept if row})) or None

    def shown(self) -> SystemScore:
        """As it stands on the scorecard."""
        return SystemScore(
            prompt=self.style, shots=len(self.shot_rows), shot_rows=self.shot_rows, scoring=self.scoring,
            template_sha256=next((row[0].template_sha256 for row in self.kept if row), ""),
            metrics=self.scores.metrics, correct=sum(self.scores.row_correct), details=self.scores.details,
            seconds=round(self.seconds, 2), speed=self._speed(),
        )  # fmt: skip

    def _speed(self) -> Speed | None:
        import numpy as np

        rows = [[one.told for one in row] for row in self.kept if row]
        if not rows or not self.seconds:
            return None
        written = [one for row in rows for one in row if one.scoring != "log_likelihood" and one.tokens]
        writing = sum(one.seconds for one in written)
        latencies = [sum(one.latency_seconds for one in row) for row in rows]
        half, most = np.percentile(latencies, [50, 95]).tolist()
        return Speed(
            rows_per_second=round(len(rows) / self.seconds, 3),
            tokens_per_second=round(sum(one.tokens for one in written) / writing, 2) if writing else None,
            latency_p50_seconds=round(half, 4), latency_p95_seconds=round(most, 4),
        )  # fmt: skip

    def write(self, path: Path, handler: TaskHandler, rows: Sequence[PreparedRow]) -> None:
        """`predictions-<system>.jsonl`: the prediction of each row, what was expected, the verdict, and how it was had."""
        with RowFile(path).append(0) as lines:
            for row, said, correct, kept in zip(rows, self.predictions, self.scores.row_correct, self.kept, strict=True):
                line: dict[str, Any] = said.model_dump(mode="json")
                expected = handler.expected(row.payload)
                verdict = None if expected is None else "right" if correct else "unusable" if said.problems else "wrong"
                lines.write(line | {"expected": expected, "correct": correct, "verdict": verdict} | _how(kept))


def ask(
    handler: TaskHandler, rows: Sequence[PreparedRow], style: Style | None, path: Path, made_from: str,
    made: Callable[[Listener], TellingPredictor], on_answers: Callable[[int], None],
) -> Answers:  # fmt: skip
    """Put every row to a model, but for those that a former attempt has the answers of.

    Args:
        path: Where its answers are kept; `made_from` says of what; see `KeptAnswers`.
        made: Makes the predictor when there is something to ask.
        on_answers: Told how many more answers there are.
    """
    with KeptAnswers(path, made_from, made, on_answers) as predictor:
        predictions = handler.predict(rows, predictor)
    kept = [_of_row(handler, row, predictor) for row in rows]
    seconds = sum(one.told.seconds for row in kept for one in row)
    return Answers(predictions, handler.score(rows, predictions), style, seconds, kept)


def by_rule(handler: TaskHandler, rows: Sequence[PreparedRow], predictions: list[Prediction], seconds: float) -> Answers:
    """A baseline's."""
    return Answers(predictions, handler.score(rows, predictions), None, seconds, [[] for _ in rows])


def _of_row(handler: TaskHandler, row: PreparedRow, predictor: KeptAnswers) -> list[Kept]:
    own = [handler.completion(row.payload)]
    if handler.objective == "preference":
        own.append(handler.worse(row.payload))
    return predictor.taken(handler.prompt(row.payload), own, handler.asks_per_row)


def _how(kept: Sequence[Kept]) -> dict[str, Any]:
    """How a row's answer was had: the prompt as it was sent, and the rest of `Answered` in the words of the file."""
    if not kept:
        return {}
    first = kept[0]
    return {
        "prompt": first.sent, "template_sha256": first.template_sha256, "scoring": first.told.scoring, "stop": first.told.stop,
        "prompt_tokens": first.told.prompt_tokens, "written_tokens": first.told.tokens,
        "seconds": round(sum(one.told.seconds for one in kept), 6),
        "latency_seconds": round(sum(one.told.latency_seconds for one in kept), 6),
    }  # fmt: skip
