"""A new evaluation: of what, by which pack, on which rows; and a second click that says what it will take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from pydantic import ValidationError

from brewslm.errors import StageError
from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.observe.evalpacks import EvalPackView, eval_packs
from brewslm.observe.fault_words import fault_words
from brewslm.observe.figures import counted
from brewslm.observe.gold import gold_sets
from brewslm.observe.tasks import task
from brewslm.observe.training_offer import task_profile_of
from brewslm.observe.trainings import TrainingDetail, training, trainings
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.evaluate.judging import JudgeRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.evaluation_asked import Asked
from brewslm.web.fields import Select
from brewslm.web.form_field import FormField
from brewslm.web.parts import Badge, Text, box, button, link
from brewslm.web.pieces import empty
from brewslm.web.words import Sign, duration

JUDGE = {
    "url": ("Its address", "", "OpenAI-compatible, up to and with /v1; held-out rows are sent there. Left empty: no judge."),
    "model": ("Its model", "", "The name that it answers to."),
    "rows": ("Rows for it", "100", "At most so many are sent."),
}
"""Field of a judge's request → label, value, note. Its key comes from the server's environment alone."""
TARGETS = "Left empty: the experiment itself. Else checkpoint-STEP, EXPORT:VARIANT, deployment-N, or http://HOST/v1#MODEL."


NO_PATH = "A path can't be given here, for the page reads no file: run brewslm evaluate --experiment {} --target {}"


@dataclass(frozen=True)
class Choices:
    """What can be measured, and how."""

    experiments: list[str]
    packs: Sequence[EvalPackView]
    gold: list[str]
    chosen: TrainingDetail | None
    seconds: float | None


def start_tab(asked: Asked) -> Callable[[], object]:
    """Read what there is to choose.

    Raises:
        StageError(UnknownRun, InvalidRequest): The experiment that is asked for is none.
    """
    ended = [one.id for one in trainings(asked.project).runs if one.task.state == "succeeded"]
    chosen = asked.experiment or (ended[0] if ended else None)
    detail = training(chosen) if chosen else None
    if detail is not None and detail.task.project != asked.project:
        raise StageError(InvalidRequest(), "It can't be evaluated here", where=detail.id, cause="it is of another project")
    locked = [one.gold_set for one in gold_sets(asked.project) if one.state == "locked"]
    return partial(_Start, asked, Choices(ended, eval_packs(task_profile_of(asked.project)), locked, detail, _last(ended)))


def _last(ended: Sequence[str]) -> float | None:
    """What the newest evaluation took."""
    for experiment in ended:
        for one in reversed(training(experiment).evaluations):
            run = task(one.evaluation)
            if run.started_at and run.ended_at:
                return (run.ended_at - run.started_at).total_seconds()
    return None


class _Start:
    """The form."""

    def __init__(self, asked: Asked, choices: Choices) -> None:
        self._asked, self._choices, self._key = asked, choices, f"page-{uuid4()}"
        self._pack, self._gold = asked.pack or DEFAULT_PACK, asked.gold_set or ""
        with box("section", "card", aria_labelledby="start"):
            Text("h2", "New evaluation", id="start")
            if choices.chosen is None:
                empty("No model was trained yet.", "Configure a training", f"/projects/{asked.project}/training")
                return
            self._experiment = choices.chosen.id
            self._form()
            with box("div", "actions"):
                button("Evaluate", self._ask, "primary")
            self._confirm = Confirm("New evaluation")

    def _form(self) -> None:
        options = {one: one for one in dict.fromkeys([self._experiment, *self._choices.experiments])}
        packs = {one.pack_id: f"{one.display_name}: {one.description}" for one in self._choices.packs}
        packs.setdefault(self._pack, self._pack)
        rows = {"": "the held-out rows (eval split)"} | {one: f"gold set {one}" for one in self._choices.gold}
        with box("div", "fields"):
            Select("Experiment", options, self._experiment, self._set("_experiment"))
            Select("Eval pack", packs, self._pack, self._set("_pack"), "Whose gates decide; see the tab Eval packs.")
            Select("Rows", rows, self._gold, self._set("_gold"), "None of them was trained on: prepare keeps them apart.")
            self._target = FormField("target", "Measure in its place", self._asked.target or "", TARGETS)
        Text("h3", "A judge, if you like")
        with box("div", "fields"):
            self._judge = {name: FormField(f"judge-{name}", *about) for name, about in JUDGE.items()}

    def _set(self, name: str) -> Callable[[str], None]:
        return lambda value: setattr(self, name, value)

    def _judged(self) -> JudgeRequest | None:
        """The judge that is asked for.

        Raises:
            ValidationError: Its address, model or rows can't be used so.
        """
        said = {name: field.value for name, field in self._judge.items()}
        return JudgeRequest.model_validate(said) if said["url"] else None

    def _ask(self) -> None:
        self._confirm.close()
        for field in (self._target, *self._judge.values()):
            field.blame("")
        target = self._target.value or None
        if target is not None and target.startswith("path:"):
            self._target.blame(NO_PATH.format(self._experiment, target))
            return
        try:
            judge = self._judged()
        except ValidationError as error:
            for each in error.errors():
                name = str(each["loc"][0]) if each["loc"] else "url"
                self._judge[name].blame(fault_words(each))
            return
        request = EvaluateRequest(
            experiment=self._experiment, eval_pack=self._pack, gold_set=self._gold or None, target=target, judge=judge
        )
        took = f"The last one took {duration(self._choices.seconds)}." if self._choices.seconds else "It takes minutes."
        what = target or self._experiment
        sentences = [
            f"{what} and its base answer every row, beside the cheap baselines; then the gates of {self._pack} are judged.",
            f"{took} It takes this machine's processor meanwhile. Nothing is promoted, and no row is changed.",
        ]
        if judge is not None:
            sentences.insert(1, f"Up to {counted(judge.rows, 'held-out row')} with their answers are sent to {judge.url}.")
        self._confirm.ask(f"Evaluate {what}?", sentences, f"Evaluate {what} now", partial(act, request, self._key, self._done))

    def _done(self, run: RunView) -> None:
        card = (run.result or {})["scorecard"]
        self._key = f"page-{uuid4()}"
        with box("p", "note", role="status"):
            Badge(Sign("done", "promotable") if card["promotable"] else Sign("needs", "gates not met"))
            link(f"See the scorecard of {run.task_id}", f"/projects/{run.project}/evaluation?evaluation={run.task_id}")
