"""The judge of an evaluation: which answers it is sent, what its verdicts make, and how far it agrees with labels."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from brewslm.errors import StageError
from brewslm.handlers.base import Metric, Prediction, TaskHandler
from brewslm.metrics.figure import Figure, mean, share
from brewslm.metrics.judging import JudgeRubric, messages, preferred, read_verdict, schema_of
from brewslm.metrics.kappa import Kappa, cohen_kappa
from brewslm.models.judge import Judge, JudgeUnavailable
from brewslm.models.prompt import words_of
from brewslm.processes.context import Context
from brewslm.reasons.eval import EvalJudgeUnavailable
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.splitting import draw
from brewslm.settings import settings

MOST_UNJUDGED = 0.1
"""From this share of answers without a verdict on there is no figure: those that are missing may not be like the others."""
CONTROLS = 40
"""Rows whose right answer, and another row's, are judged where people have labelled none."""
SEED = 20261129


class JudgeRequest(BaseModel):
    """Who judges. Giving it is the consent that rows are sent there.

    Attributes:
        url: An OpenAI-compatible address up to and with "/v1"; its key comes from BREWSLM_JUDGE_API_KEY alone.
        labels: A file of JSON lines that people have judged; see Labelled. Left out, agreement is measured on controls.
        rows: So many of the held-out rows are judged, at most.
        call_seconds: The longest wait for one answer.
        seconds: The longest that the judge may take for all of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    model: str = Field(min_length=1, max_length=200)
    labels: str | None = None
    rows: int = Field(default=100, ge=1, le=10_000)
    call_seconds: float = Field(default=60.0, gt=0, le=600)
    seconds: float = Field(default=900.0, gt=0, le=86_400)

    @model_validator(mode="after")
    def _an_address_without_secrets(self) -> Self:
        from urllib.parse import urlsplit

        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the judge's address begins with http:// or https:// and names a host")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("the judge's address holds no key or other secret: set BREWSLM_JUDGE_API_KEY")
        return self


class Labelled(BaseModel):
    """A line of a file of labels: a question with an answer that passes or not, or with two of which one is better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    reference: str = ""
    answer: str | None = None
    passes: bool | None = None
    first: str | None = None
    second: str | None = None
    preferred: Literal["first", "second", "tie"] | None = None

    def answers(self, rubric: JudgeRubric) -> tuple[str, ...] | None:
        """What is judged; None where the line is for the other mode."""
        if rubric.mode == "grade":
            return (self.answer,) if self.answer is not None and self.passes is not None else None
        whole = self.first is not None and self.second is not None and self.preferred is not None
        return (self.first or "", self.second or "") if whole else None

    def label(self, rubric: JudgeRubric) -> str:
        """What people said."""
        return ("pass" if self.passes else "fail") if rubric.mode == "grade" else str(self.preferred)


class JudgeReport(BaseModel):
    """What the judge was, and how far it is to be trusted; its figure stands among the metrics of each system.

    Attributes:
        problem: Why there is no figure; "" where there is one.
        rows: Held-out rows that were sent; `judged`: those of them that have a verdict for every system.
        calls: Requests in all.
        wins, losses, ties: Pairwise: the tuned model's answer against the base's; a win is one in both orders.
        order_decided: Pairwise: pairs whose winner changed with the order, which count as ties.
        first_preferred: Pairwise: of the verdicts that named a winner, how many named the answer that stood first. Of a judge
            without position bias that is near a half.
        agreement: With the labels, on rows of their own.
        agreement_with: "people", whose file it was; or "controls", right answers and those of other rows, which are easier to
            tell apart than what models write.
    """

    model_config = ConfigDict(frozen=True)

    host: str
    model: str
    mode: str
    metric: str
    rubric_sha256: str
    problem: str = ""
    rows: int = 0
    judged: int = 0
    calls: int = 0
    wins: int | None = None
    losses: int | None = None
    ties: int | None = None
    order_decided: int | None = None
    first_preferred: Metric | None = None
    agreement: Kappa | None = None
    agreement_with: Literal["people", "controls"] | None = None


@dataclass
class Judged:
    """What came of it.

    Attributes:
        report: None where no judge was asked.
        figures: Metrics to add, by system; {} where the judge was not to be had.
        lines: Each verdict, for judgements.jsonl.
    """

    report: JudgeReport | None
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)


def check_judge(request: JudgeRequest | None, rubric: JudgeRubric | None, handler: type[TaskHandler] | None = None) -> None:
    """Whether this judge can judge this task.

    Raises:
        StageError(InvalidRequest): The pack has no rubric, the file of labels can't be used, or the task has pictures or sounds.
    """
    if request is None:
        return
    if rubric is None:
        next_step = "Give the task spec of a pack of your own the key judge: with a rubric."
        raise StageError(InvalidRequest(), "the eval pack has no rubric for a judge", next_step=next_step)
    if handler is not None and handler.media is not None:
        cause = f"its rows hold a file ({handler.media})"
        raise StageError(InvalidRequest(), "a judge is sent texts alone", cause=cause, next_step="Leave the judge out.")
    if request.labels is not None:
        read_labels(Path(request.labels), rubric)


def read_labels(path: Path, rubric: JudgeRubric) -> list[Labelled]:
    """The lines of a file of labels.

    Raises:
        StageError(InvalidRequest): It can't be read, or a line of it is not one, or is for the other mode.
    """
    wanted = "answer and passes" if rubric.mode == "grade" else "first, second and preferred"
    next_step = f"Write JSON lines with question, {wanted}; reference too, where there is one."
    what = "the judge's labels can't be used"
    try:
        lines = path.expanduser().read_bytes().splitlines()
    except OSError as error:
        raise StageError(InvalidRequest(), what, where=path.name, cause=type(error).__name__, next_step=next_step) from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            one = Labelled.model_validate(orjson.loads(line))
        except (ValidationError, orjson.JSONDecodeError):
            one = None
        if one is None or one.answers(rubric) is None:
            cause = f"line {number} has not {wanted}"
            raise StageError(InvalidRequest(), what, where=path.name, cause=cause, next_step=next_step)
        found.append(one)
    if not found:
        raise StageError(InvalidRequest(), what, where=path.name, cause="it is empty", next_step=next_step)
    return found


def judge_answers(
    request: JudgeRequest, rubric: JudgeRubric, experiment: str, handler: TaskHandler, rows: Sequence[PreparedRow],
    answers: Mapping[str, Sequence[Prediction]], context: Context,
) -> Judged:  # fmt: skip
    """Have the tuned model's and the base's answers judged. A judge that fails is told, and leaves the rest as it is.

    Args:
        answers: By system, "tuned" and "base"; one prediction a row.
    """
    judge = Judge(request.url, request.model, settings().judge_api_key.get_secret_value(), request.call_seconds, request.seconds)
    report = JudgeReport(
        host=judge.host, model=request.model, mode=rubric.mode, metric=rubric.metric,
        rubric_sha256=hashlib.sha256(rubric.rubric.encode()).hexdigest(),
    )  # fmt: skip
    chosen = sorted(sorted(range(len(rows)), key=lambda place: draw(SEED, rows[place].row_id))[: request.rows])
    bench = _Bench(judge, rubric, handler, context)
    try:
        labelled, source = _labelled(request, rubric, handler, rows)
        made = _graded(bench, rows, answers, chosen) if rubric.mode == "grade" else _paired(bench, rows, answers, chosen)
        agreement = _agreement(bench, labelled)
    except JudgeUnavailable as unavailable:
        context.tell(
            EvalJudgeUnavailable(
                experiment_id=experiment, error=str(unavailable), judge=judge.host, model=request.model, judged=bench.judged
            )
        )
        return Judged(report.model_copy(update={"problem": str(unavailable), "rows": len(chosen), "calls": judge.calls}))
    finally:
        judge.close()
    more = {"rows": len(chosen), "calls": judge.calls, "agreement": agreement, "agreement_with": source}
    return Judged(report.model_copy(update=more | made.more), made.figures, made.lines)


@dataclass
class _Made:
    figures: dict[str, dict[str, Figure]]
    lines: list[dict[str, Any]]
    more: dict[str, Any]


class _Bench:
    """Puts answers to the judge."""

    def __init__(self, judge: Judge, rubric: JudgeRubric, handler: TaskHandler, context: Context) -> None:
        self._judge, self.rubric, self._handler, self._context = judge, rubric, handler, context
        self.judged = 0

    def verdicts(self, cases: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[Any]:
        """Of each (question, reference, answers) the verdict, None where there is none.

        Raises:
            JudgeUnavailable: Too many have none, or the judge is not to be had.
        """
        read: Callable[[str], Any] = lambda said: read_verdict(self.rubric.mode, said)  # noqa: E731
        questions = [messages(self.rubric, *case) for case in cases]
        found = self._judge.ask(questions, schema_of(self.rubric.mode), read, self._context.check)
        without = sum(one is None for one in found)
        self.judged += len(found) - without
        if without > MOST_UNJUDGED * len(found):
            raise JudgeUnavailable(f"{without} of {len(found)} answers got no verdict")
        return found

    def case(self, row: PreparedRow, *answers: str) -> tuple[str, str, tuple[str, ...]]:
        """A row's question and right answer, with answers to it."""
        asked = "\n\n".join(words_of(message) for message in self._handler.prompt(row.payload).messages)
        return asked or self._handler.question(row.payload), self._handler.completion(row.payload), answers


def _text(prediction: Prediction) -> str:
    """What the model wrote."""
    said = prediction.raw if prediction.raw is not None else prediction.output
    return said if isinstance(said, str) else orjson.dumps(said).decode()


def _graded(
    bench: _Bench, rows: Sequence[PreparedRow], answers: Mapping[str, Sequence[Prediction]], chosen: Sequence[int]
) -> _Made:
    names = list(answers)
    cases = [(name, place) for name in names for place in chosen]
    found = bench.verdicts([bench.case(rows[place], _text(answers[name][place])) for name, place in cases])
    said = {case: one.verdict for case, one in zip(cases, found, strict=True) if one is not None}
    both = {place for place in chosen if all((name, place) in said for name in names)}
    among = [place in both for place in range(len(rows))]
    figures = {
        name: {bench.rubric.metric: share([said.get((name, place)) == "pass" for place in range(len(rows))], among)}
        for name in names
    }
    lines = [
        {"row_id": rows[place].row_id, "system": name, "verdict": one.verdict, "reason": one.reason}
        for (name, place), one in zip(cases, found, strict=True)
        if one is not None
    ]
    return _Made(figures, lines, {"judged": len(both)})


def _paired(
    bench: _Bench, rows: Sequence[PreparedRow], answers: Mapping[str, Sequence[Prediction]], chosen: Sequence[int]
) -> _Made:
    texts = [(_text(answers["tuned"][place]), _text(answers["base"][place])) for place in chosen]
    in_order = [bench.case(rows[place], *pair) for place, pair in zip(chosen, texts, strict=True)]
    swapped = [bench.case(rows[place], *reversed(pair)) for place, pair in zip(chosen, texts, strict=True)]
    found = bench.verdicts([*in_order, *swapped])
    pairs = list(zip(chosen, found[: len(chosen)], found[len(chosen) :], strict=True))
    whole = [(place, one.verdict, other.verdict) for place, one, other in pairs if one is not None and other is not None]
    said = [preferred(one, other) for _, one, other in whole]
    named = [one for _, *both in whole for one in both if one != "tie"]
    worth = dict(
        zip((place for place, *_ in whole), ({"tuned": 1.0, "tie": 0.5, "other": 0.0}[one] for one in said), strict=True)
    )
    places = range(len(rows))
    lines = [
        {"row_id": rows[place].row_id, "in_order": one, "swapped": other, "preferred": result}
        for (place, one, other), result in zip(whole, said, strict=True)
    ]
    more = {
        "judged": len(whole), "wins": said.count("tuned"), "losses": said.count("other"), "ties": said.count("tie"),
        "order_decided": sum(one == other != "tie" for _, one, other in whole),
        "first_preferred": Metric.of(share([one == "first" for one in named])),
    }  # fmt: skip
    rate = mean([worth.get(place, 0.0) for place in places], [place in worth for place in places])
    return _Made({"tuned": {bench.rubric.metric: rate}}, lines, more)


def _labelled(
    request: JudgeRequest, rubric: JudgeRubric, handler: TaskHandler, rows: Sequence[PreparedRow]
) -> tuple[list[Labelled], Literal["people", "controls"]]:
    if request.labels is not None:
        return read_labels(Path(request.labels), rubric), "people"
    return _controls(rubric, handler, rows), "controls"


def _controls(rubric: JudgeRubric, handler: TaskHandler, rows: Sequence[PreparedRow]) -> list[Labelled]:
    """Right answers, and for each the next row's that differs: one is to pass or to win, the other not."""
    chosen = sorted(rows, key=lambda row: draw(SEED + 1, row.row_id))[:CONTROLS]
    made: list[Labelled] = []
    for number, row in enumerate(chosen):
        right = handler.completion(row.payload)
        others = (handler.completion(other.payload) for other in [*chosen[number + 1 :], *chosen[:number]])
        wrong = next((one for one in others if one != right), None)
        if wrong is None:
            continue
        asked = "\n\n".join(words_of(message) for message in handler.prompt(row.payload).messages)
        if rubric.mode == "grade":
            answer = right if number % 2 else wrong
            made.append(Labelled(question=asked, reference=right, answer=answer, passes=bool(number % 2)))
        else:
            pair = (right, wrong) if number % 2 else (wrong, right)
            made.append(
                Labelled(
                    question=asked, reference=right, first=pair[0], second=pair[1], preferred="first" if number % 2 else "second"
                )
            )
    return made


def _agreement(bench: _Bench, labelled: Sequence[Labelled]) -> Kappa | None:
    if not labelled:
        return None
    cases = [(one.question, one.reference, one.answers(bench.rubric) or ()) for one in labelled]
    found = bench.verdicts(cases)
    if bench.rubric.mode == "pairwise":
        swapped = bench.verdicts([(question, reference, answers[::-1]) for question, reference, answers in cases])
        says = {"tuned": "first", "other": "second", "tie": "tie"}
        found = [
            says[preferred(one.verdict, other.verdict)] if one is not None and other is not None else None
            for one, other in zip(found, swapped, strict=True)
        ]
    else:
        found = [one.verdict if one is not None else None for one in found]
    both = [(one.label(bench.rubric), said) for one, said in zip(labelled, found, strict=True) if said is not None]
    return cohen_kappa([label for label, _ in both], [str(said) for _, said in both])
