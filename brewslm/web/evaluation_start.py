"""A new evaluation: of what, by which pack, on which rows; and a second click that says what it will take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from brewslm.errors import StageError
from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.observe.evalpacks import EvalPackView, eval_packs
from brewslm.observe.gold import gold_sets
from brewslm.observe.tasks import task
from brewslm.observe.training_offer import task_profile_of
from brewslm.observe.trainings import TrainingDetail, training, trainings
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.evaluation_asked import Asked
from brewslm.web.fields import Select, TextField
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.pieces import empty
from brewslm.web.words import Sign, duration

TARGETS = "Left empty: the experiment itself. Else checkpoint-STEP, EXPORT:VARIANT, deployment-N, or http://HOST/v1#MODEL."


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
            self._refused = box("div", "form-said", role="alert")
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
            self._target = TextField("Measure in its place", self._asked.target or "", lambda _: None, TARGETS, named="target")

    def _set(self, name: str) -> Callable[[str], None]:
        return lambda value: setattr(self, name, value)

    def _ask(self) -> None:
        self._refused.clear()
        target = self._target.value.strip() or None
        if target is not None and target.startswith("path:"):
            with self._refused:
                problem(_no_path(target))
            return
        request = EvaluateRequest(experiment=self._experiment, eval_pack=self._pack, gold_set=self._gold or None, target=target)
        took = f"The last one took {duration(self._choices.seconds)}." if self._choices.seconds else "It takes minutes."
        what = target or self._experiment
        sentences = [
            f"{what} and its base answer every row, beside the cheap baselines; then the gates of {self._pack} are judged.",
            f"{took} It takes this machine's processor meanwhile. Nothing is promoted, and no row is changed.",
        ]
        self._confirm.ask(f"Evaluate {what}?", sentences, f"Evaluate {what} now", partial(act, request, self._key, self._done))

    def _done(self, run: RunView) -> None:
        card = (run.result or {})["scorecard"]
        self._key = f"page-{uuid4()}"
        with box("p", "note", role="status"):
            Badge(Sign("done", "promotable") if card["promotable"] else Sign("needs", "gates not met"))
            link(f"See the scorecard of {run.task_id}", f"/projects/{run.project}/evaluation?evaluation={run.task_id}")


def _no_path(target: str) -> StageError:
    return StageError(
        InvalidRequest(), "A path can't be given here", where=target, cause="the page reads no file of its own accord",
        next_step=f"Run  brewslm evaluate --experiment EXP --target {target}",
    )  # fmt: skip
