"""The evaluation itself, top to bottom. It runs in a child process."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import Metric, Prediction, Scores, TaskHandler
from brewslm.handlers.eval_pack import judge
from brewslm.metrics.intervals import paired_test
from brewslm.models.asking import LoadedModel
from brewslm.models.loading import set_threads
from brewslm.models.prompt import Predictor
from brewslm.models.templates import Style
from brewslm.models.trained import trained_weights
from brewslm.processes.context import Context
from brewslm.reasons.eval import EvalDatasetMissing, EvalRuntimeError
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.rows import Ledger, RowFile
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.stages.evaluate.errors import analyse
from brewslm.stages.evaluate.job import EvaluateJob, EvaluateResult
from brewslm.stages.evaluate.scorecard import PairedTest, Scorecard, SystemScore
from brewslm.store.files import new_folder, sha256, write_json

UNSTYLED = "bare"
"""What the base's prompt is called where there is one way alone."""


@dataclass(frozen=True)
class _Answers:
    """What one system said on every row, and what that is worth."""

    predictions: list[Prediction]
    scores: Scores
    prompt: Style | None
    seconds: float

    def shown(self) -> SystemScore:
        return SystemScore(
            prompt=self.prompt, metrics=self.scores.metrics, correct=sum(self.scores.row_correct), details=self.scores.details,
            seconds=round(self.seconds, 2),
        )  # fmt: skip


def run(job: EvaluateJob, context: Context) -> EvaluateResult:
    """Ask every system the same rows, score them, and hold the tuned one against the gates.

    Raises:
        StageError(EvalDatasetMissing): The held-out rows are gone, empty or changed.
        StageError(EvalRuntimeError): The adapter is not the one that was trained.
    """
    set_threads()
    data, rows = _held_out(job)
    _check_adapter(job)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    schema = data.manifest.output_schema
    base = LoadedModel(job.base, schema)
    progress = _Progress(context, total=len(rows) * (len(base.styles) + 1))
    at_base = {style: _ask(base.predictor(style, progress), handler, rows, style) for style in base.styles}
    trained_style = base.styles[0]
    del base
    adapted = LoadedModel(job.base, schema, job.adapter)
    tuned = _ask(adapted.predictor(trained_style, progress), handler, rows, trained_style)
    tuned = _with_gain(tuned, handler.gained(rows, tuned.predictions, at_base[trained_style].predictions))
    better = min if handler.lower_is_better else max
    best = better(at_base.values(), key=lambda one: one.scores.metrics[handler.primary_metric].value)
    systems = {"tuned": tuned, "base": best} | _baselines(handler, data.train(), rows)
    card = _scorecard(job, data, handler, systems, at_base)
    with new_folder(job.output) as folder:
        write_json(folder / "scorecard.json", card.model_dump(mode="json"))
        for name, system in systems.items():
            _write_predictions(folder / f"predictions-{name}.jsonl", handler, rows, system)
        errors = analyse(handler, rows, RowFile(folder / "predictions-tuned.jsonl").rows(), job.sources)
        write_json(folder / "errors.json", errors.model_dump(mode="json"))
    return EvaluateResult(
        ledger=Ledger(rows_in=len(rows), rows_out=len(tuned.predictions)),
        experiment_id=job.experiment_id,
        promotable=card.promotable,
        path=f"evaluations/{job.output.name}",
        scorecard=card,
        error_clusters=len(errors.clusters),
    )


def _held_out(job: EvaluateJob) -> tuple[PreparedData, list[PreparedRow]]:
    try:
        data = PreparedData(job.manifest_path, job.manifest_sha256)
        rows = data.eval()
    except StageError as error:
        if not isinstance(error.reason, ManifestMismatch):
            raise
        reason = EvalDatasetMissing(experiment_id=job.experiment_id, error=f"{error.where}: {error.cause}")
        raise StageError(reason, where=error.where, cause=error.cause) from error
    if not rows:
        raise StageError(EvalDatasetMissing(experiment_id=job.experiment_id, error="the eval split has no rows"))
    return data, rows


def _check_adapter(job: EvaluateJob) -> None:
    if sha256(trained_weights(job.adapter)) != job.adapter_sha256:
        reason = EvalRuntimeError(experiment_id=job.experiment_id, error="the adapter's hash differs")
        raise StageError(reason, where=job.adapter.name, cause="it is not the adapter that was trained")


class _Progress:
    """Counts the rows that language models have answered; baselines take no time worth showing."""

    def __init__(self, context: Context, total: int) -> None:
        self._context, self._total, self._done = context, total, 0

    def __call__(self, rows: int) -> None:
        self._done = min(self._done + rows, self._total)
        self._context.check()
        self._context.progress(self._done, self._total, "rows")


def _ask(predictor: Predictor, handler: TaskHandler, rows: Sequence[PreparedRow], style: Style | None) -> _Answers:
    began = time.monotonic()
    predictions = handler.predict(rows, predictor)
    seconds = time.monotonic() - began
    return _Answers(predictions, handler.score(rows, predictions), style, seconds)


def _with_gain(tuned: _Answers, gained: dict[str, Metric]) -> _Answers:
    scores = tuned.scores.model_copy(update={"metrics": tuned.scores.metrics | gained})
    return replace(tuned, scores=scores)


def _baselines(handler: TaskHandler, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, _Answers]:
    began = time.monotonic()
    answered = handler.baselines(train, rows)
    seconds = time.monotonic() - began
    return {name: _Answers(said, handler.score(rows, said), None, seconds) for name, said in answered.items()}


def _scorecard(
    job: EvaluateJob,
    data: PreparedData,
    handler: TaskHandler,
    systems: dict[str, _Answers],
    at_base: dict[Style | None, _Answers],
) -> Scorecard:
    tuned = systems["tuned"].scores
    others = {name: system.scores for name, system in systems.items() if name != "tuned"}
    metrics = {name: scores.metrics for name, scores in others.items()}
    gates = [judge(gate, tuned.metrics, metrics) for gate in job.pack.gates(handler.profile)]
    return Scorecard(
        experiment_id=job.experiment_id,
        base_model=job.base.locator,
        base_sha256=job.base_sha256,
        adapter_sha256=job.adapter_sha256,
        manifest_version=data.manifest.version,
        manifest_sha256=data.sha256,
        task_profile=handler.profile,
        scoring_mode=handler.scoring_mode,
        eval_pack=job.eval_pack,
        primary_metric=handler.primary_metric,
        n=len(tuned.row_correct),
        systems={name: system.shown() for name, system in systems.items()},
        base_prompts={style or UNSTYLED: answers.scores.metrics for style, answers in at_base.items()},
        paired={name: PairedTest(**paired_test(tuned.row_correct, scores.row_correct)) for name, scores in others.items()},
        gates=gates,
        promotable=all(gate.met for gate in gates if gate.required),
    )


def _write_predictions(path: Path, handler: TaskHandler, rows: Sequence[PreparedRow], system: _Answers) -> None:
    with RowFile(path).append(0) as lines:
        for row, prediction, correct in zip(rows, system.predictions, system.scores.row_correct, strict=True):
            line: dict[str, Any] = prediction.model_dump(mode="json")
            lines.write(line | {"expected": handler.expected(row.payload), "correct": correct})
