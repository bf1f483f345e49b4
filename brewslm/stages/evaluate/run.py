"""The evaluation itself, top to bottom. It runs in a child process."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import orjson

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.handlers.eval_pack import BASE, FEW_SHOT
from brewslm.models.asking import LoadedModel, styles_of
from brewslm.models.fewshot import FewShotPredictor
from brewslm.models.loading import set_threads
from brewslm.models.prompt import Labelling, TellingPredictor
from brewslm.models.sentences import sentence_vectors
from brewslm.models.templates import Style
from brewslm.processes.context import Context
from brewslm.reasons.eval import EvalDatasetMissing, EvalRuntimeError
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.rows import Ledger, RowFile
from brewslm.rows.manifest import OutputSchema, PreparedData, PreparedRow
from brewslm.stages.evaluate.answers import Answers, ask, by_rule
from brewslm.stages.evaluate.errors import analyse, slice_report
from brewslm.stages.evaluate.held_out import HeldOut, held_out
from brewslm.stages.evaluate.job import EvaluateJob, EvaluateResult
from brewslm.stages.evaluate.judging import Judged, judge_answers
from brewslm.stages.evaluate.scorecard import Scorecard
from brewslm.stages.evaluate.shots import as_shots, shots_for
from brewslm.stages.evaluate.subject import Model, loaded, served
from brewslm.stages.evaluate.verdict import TUNED, verdict
from brewslm.store.files import new_folder, write_atomic, write_json

UNSTYLED = "bare"
"""What the base's prompt is called where there is one way alone."""
AGAIN = "See that it runs, then resume the run: it goes on with the rows that have no answer yet."
ANSWERS = "answers"
"""The folder of the run's own in which answers are kept as they are made."""


def run(job: EvaluateJob, context: Context) -> EvaluateResult:
    """Ask every system the same rows, score them, and hold the tuned one against the gates.

    A repeated run goes on with the rows that a former attempt has no answer of.

    Raises:
        StageError(EvalDatasetMissing): The held-out rows are gone, empty or changed.
        StageError(GoldSetChanged, GoldSetTrained): The gold set is not what was locked, or the experiment was trained on it.
        StageError(PackageUnavailable): The pack asks for sentence vectors, and their model could not be fetched.
        StageError(EvalRuntimeError): What is measured is not what was asked for, or does not answer.
    """
    set_threads()
    data, held = _held_out(job)
    rows = held.rows
    job.subject.check(job.experiment_id)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    schema, styles, train = data.manifest.output_schema, styles_of(job.base), data.train()
    takes_shots = bool(shots_for(handler, job.base, styles[0], train, rows))
    asking = _Asking(job, context, handler, rows, systems=len(styles) + 1 + takes_shots)
    with _measured(job, schema) as model:
        tuned = asking.answers(TUNED, styles[0], model)
    better = min if handler.lower_is_better else max
    with loaded(lambda: LoadedModel(job.base, schema), _like(tuned.scoring)) as model:
        at_base = {style: asking.answers(f"base-{style or UNSTYLED}", style, model) for style in styles}
        best = better(at_base.values(), key=lambda one: one.scores.metrics[handler.primary_metric].value)
        few_shot = _few_shot(handler, job, best.style, train, rows, asking, model) if takes_shots else {}
    tuned = _with_gain(tuned, handler, rows, at_base[styles[0]])
    systems = {TUNED: tuned, BASE: best} | few_shot | _baselines(handler, train, rows)
    systems = _by_vectors(job, handler, rows, systems)
    judged = _judged(job, handler, rows, systems, context)
    for name, figures in judged.figures.items():
        systems[name] = replace(systems[name], scores=systems[name].scores.gaining(figures))
    card = _scorecard(job, data, held, handler, systems, at_base).model_copy(update={"judge": judged.report})
    with new_folder(job.output) as folder:
        write_json(folder / "scorecard.json", card.model_dump(mode="json"))
        for name, system in systems.items():
            system.write(folder / f"predictions-{name}.jsonl", handler, rows)
        errors = analyse(handler, rows, RowFile(folder / f"predictions-{TUNED}.jsonl").rows(), job.sources)
        slices = slice_report(handler, rows, tuned.scores, job.sources, job.pack.spec(handler.profile).slices)
        write_json(folder / "errors.json", errors.model_copy(update={"slices": slices}).model_dump(mode="json"))
        if judged.lines:
            write_atomic(folder / "judgements.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in judged.lines))
    return EvaluateResult(
        ledger=Ledger(rows_in=len(rows), rows_out=len(tuned.predictions)),
        experiment_id=job.experiment_id,
        promotable=card.promotable,
        path=f"evaluations/{job.output.name}",
        scorecard=card,
        error_clusters=len(errors.clusters),
        slices_worse=sum(one.is_worse for one in slices.slices),
    )


def _measured(job: EvaluateJob, schema: OutputSchema) -> Model:
    subject = job.subject
    if subject.served:
        return served(subject, job.experiment_id)
    if subject.merged is not None:
        merged = subject.merged
        return loaded(lambda: LoadedModel(merged, schema))
    return loaded(lambda: LoadedModel(job.base, schema, subject.path))


def _like(scoring: str | None) -> Labelling:
    """How the base's labels are had, so that they can be compared with those of what is measured, where it is one way alone."""
    found: dict[str | None, Labelling] = {"constrained": "constrained", "strict_parsing": "strict_parsing"}
    return found.get(scoring, "label_log_probability")


class _Asking:
    """Puts the rows to one model after the other, and counts the rows that are answered: baselines take no time worth showing."""

    def __init__(
        self, job: EvaluateJob, context: Context, handler: TaskHandler, rows: Sequence[PreparedRow], systems: int
    ) -> None:  # fmt: skip
        self._job, self._context, self._handler, self._rows = job, context, handler, rows
        self._total, self._done = len(rows) * systems, 0
        self._folder = context.folder / ANSWERS
        self._folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def _made_from(self) -> str:
        """Hash of the job, but for where its result goes: manifest, base, adapter and pack are in it by their hashes."""
        return hashlib.sha256(self._job.model_dump_json(exclude={"output"}).encode()).hexdigest()

    def answers(
        self, name: str, style: Style | None, model: Model,
        through: Callable[[TellingPredictor], TellingPredictor] = lambda predictor: predictor,
    ) -> Answers:  # fmt: skip
        """One system's.

        Raises:
            StageError(EvalRuntimeError): An endpoint did not answer.
        """
        import openai

        before, answered = self._done, 0

        def count(answers: int) -> None:
            nonlocal answered
            answered += answers
            self._done = before + min(len(self._rows), answered // self._handler.asks_per_row)
            self._context.check()
            self._context.progress(self._done, self._total, "rows")

        path = self._folder / f"{name}.jsonl"
        try:
            found = ask(
                self._handler, self._rows, style, path, self._made_from,
                lambda listener: through(model.predictor(style, listener)), count,
            )  # fmt: skip
        except openai.APIError as error:
            said = f"the endpoint did not answer as it should: {type(error).__name__}"
            reason = EvalRuntimeError(experiment_id=self._job.experiment_id, error=said)
            raise StageError(reason, where=self._job.subject.name, cause=said, next_step=AGAIN) from error
        self._done = before + len(self._rows)
        return found


def _held_out(job: EvaluateJob) -> tuple[PreparedData, HeldOut]:
    try:
        data = PreparedData(job.manifest_path, job.manifest_sha256)
        held = held_out(job, data)
    except StageError as error:
        if not isinstance(error.reason, ManifestMismatch):
            raise
        reason = EvalDatasetMissing(experiment_id=job.experiment_id, error=f"{error.where}: {error.cause}")
        raise StageError(reason, where=error.where, cause=error.cause) from error
    if not held.rows:
        raise StageError(EvalDatasetMissing(experiment_id=job.experiment_id, error="the eval split has no rows"))
    return data, held


def _judged(
    job: EvaluateJob, handler: TaskHandler, rows: Sequence[PreparedRow], systems: Mapping[str, Answers], context: Context
) -> Judged:
    rubric = job.pack.spec(handler.profile).judge
    if job.judge is None or rubric is None:
        return Judged(None)
    answers = {name: systems[name].predictions for name in (TUNED, BASE)}
    return judge_answers(job.judge, rubric, job.experiment_id, handler, rows, answers, context)


def _by_vectors(
    job: EvaluateJob, handler: TaskHandler, rows: Sequence[PreparedRow], systems: Mapping[str, Answers]
) -> dict[str, Answers]:
    """The systems with what sentences as vectors tell, where the pack asks for it."""
    if not job.pack.spec(handler.profile).sentence_vectors:
        return dict(systems)
    return {
        name: replace(one, scores=one.scores.gaining(handler.by_vectors(rows, one.predictions, sentence_vectors)))
        for name, one in systems.items()
    }


def _with_gain(tuned: Answers, handler: TaskHandler, rows: Sequence[PreparedRow], base: Answers) -> Answers:
    if tuned.scoring != base.scoring:
        return tuned
    gained = handler.gained(rows, tuned.predictions, base.predictions)
    return replace(tuned, scores=tuned.scores.gaining(gained))


def _few_shot(
    handler: TaskHandler, job: EvaluateJob, style: Style | None, train: Sequence[PreparedRow], rows: Sequence[PreparedRow],
    asking: _Asking, base: Model,
) -> dict[str, Answers]:  # fmt: skip
    """The base at its better prompt, behind right answers of train."""
    chosen = shots_for(handler, job.base, style, train, rows)
    if not chosen:
        return {}
    shots = as_shots(handler, chosen)
    answers = asking.answers(FEW_SHOT, style, base, lambda predictor: FewShotPredictor(predictor, shots))
    return {FEW_SHOT: replace(answers, shot_rows=[row.row_id for row in chosen])}


def _baselines(handler: TaskHandler, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, Answers]:
    began = time.monotonic()
    answered = handler.baselines(train, rows)
    seconds = time.monotonic() - began
    return {name: by_rule(handler, rows, said, seconds) for name, said in answered.items()}


def _scorecard(
    job: EvaluateJob,
    data: PreparedData,
    held: HeldOut,
    handler: TaskHandler,
    systems: dict[str, Answers],
    at_base: dict[Style | None, Answers],
) -> Scorecard:
    found = verdict(job.pack, handler, held.rows, {name: system.scores for name, system in comparable(systems).items()})
    return Scorecard(
        experiment_id=job.experiment_id,
        base_model=job.base.locator,
        base_sha256=job.base_sha256,
        adapter_sha256=job.adapter_sha256,
        manifest_version=data.manifest.version,
        manifest_sha256=data.sha256,
        task_profile=handler.profile,
        scoring_mode=handler.scoring_mode,
        eval_pack=job.pack.pack_id,
        pack_version=job.pack.version,
        pack_promotes=job.pack.promotes,
        primary_metric=handler.primary_metric,
        rows_from=held.source,
        rows_sha256=held.sha256,
        n=len(held.rows),
        measured=job.subject.shown(),
        unseen_labels=unseen_labels(handler, held.rows),
        systems={name: system.shown() for name, system in systems.items()},
        base_prompts={style or UNSTYLED: answers.scores.metrics for style, answers in at_base.items()},
        paired=found.paired,
        power=found.power,
        gates=found.gates,
        promotable=found.promotable,
    )


def comparable(systems: dict[str, Answers]) -> dict[str, Answers]:
    """The tuned system, and those that it may be compared with: baselines, and models whose answers were had in the same way.

    How an answer was had is part of what a figure means: a label under a grammar is not a label by its whole probability.
    """
    return {name: one for name, one in systems.items() if one.scoring in (None, systems[TUNED].scoring)}


def unseen_labels(handler: TaskHandler, rows: Sequence[PreparedRow]) -> dict[str, int]:
    """Labels that rows have and the manifest's schema, which train made, has not: each with its rows. {} where there are none."""
    known = set(handler.schema.labels)
    if not known:
        return {}
    given = (handler.expected(row.payload) for row in rows)
    found = Counter(label for one in given for label in ([one] if isinstance(one, str) else one) if label not in known)
    return dict(sorted(found.items()))
