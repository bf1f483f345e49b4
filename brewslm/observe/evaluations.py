"""Read-only views of evaluations: what one got wrong, and several held against each other row by row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.metrics.intervals import paired_test
from brewslm.metrics.many import holm
from brewslm.reasons.refusals import InvalidRequest, NotAnalysed, NotComparable, UnknownRun
from brewslm.rows import RowFile
from brewslm.stages.evaluate.errors import ErrorAnalysis
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json
from brewslm.store.records import run_of
from brewslm.store.tables import Evaluation

MOST_COMPARED = 5
SYSTEM = "tuned"


class ErrorsView(ErrorAnalysis):
    """An error analysis, and whose it is."""

    evaluation: str
    experiment: str
    project: int


class Compared(BaseModel):
    """One evaluation of a comparison, and what changed from the first one to it; of the first itself nothing did.

    Attributes:
        fixed, broken, still_wrong, right_in_both: Ids of rows; each row is in one of them.
        p_value: McNemar's exact test of fixed against broken; None of the first.
        p_corrected: By Holm, for as many evaluations as were compared with the first.
    """

    evaluation: str
    experiment: str
    eval_pack: str
    correct: int
    fixed: list[str] = []
    broken: list[str] = []
    still_wrong: list[str] = []
    right_in_both: list[str] = []
    p_value: float | None = None
    p_corrected: float | None = None


class ComparedRow(BaseModel):
    """A row that not all evaluations had right, or wrong.

    Attributes:
        outputs, correct: One of each evaluation, in their order.
    """

    row_id: str
    expected: Any
    outputs: list[Any]
    correct: list[bool]


class Comparison(BaseModel):
    """Evaluations of the same rows.

    Attributes:
        n: Rows.
        always_right, always_wrong: How many rows all evaluations had right, or wrong.
        changed: All other rows, in order.
    """

    project: int
    manifest_version: int
    task_profile: str
    n: int
    evaluations: list[Compared]
    always_right: int
    always_wrong: int
    changed: list[ComparedRow]


def error_analysis(evaluation: str) -> ErrorsView:
    """What the evaluation's tuned model got wrong.

    Raises:
        StageError(UnknownRun): There is no evaluation of this id.
        StageError(NotAnalysed): Its folder is gone, or an older version made it.
    """
    found = evaluation_of(evaluation)
    path = folder_of(found) / "errors.json"
    if not path.is_file():
        raise StageError(NotAnalysed(), where=evaluation, cause="it has no errors.json")
    return ErrorsView(
        evaluation=evaluation, experiment=found.experiment_id, project=found.project_id, **read_json(path)
    )  # fmt: skip


def cluster_of(evaluation: Evaluation, row_id: str) -> str | None:
    """The name of the error cluster that a row is in; None where it was right, or nothing was analysed."""
    path = folder_of(evaluation) / "errors.json"
    found = ErrorAnalysis.model_validate(read_json(path)).cluster_of(row_id) if path.is_file() else None
    return found.name if found else None


def comparison(evaluations: Sequence[str]) -> Comparison:
    """Hold the tuned model's answers of up to five evaluations against those of the first, row by row.

    Raises:
        StageError(InvalidRequest): It is not two to five different ones.
        StageError(UnknownRun): There is no evaluation of an id.
        StageError(NotComparable): They are not of the same rows, or not scored in the same way.
        StageError(NotAnalysed): The answers of one are gone.
    """
    ids = list(dict.fromkeys(evaluations))
    if not 2 <= len(ids) <= MOST_COMPARED or len(ids) < len(evaluations):
        raise StageError(
            InvalidRequest(), "These can't be compared", where=" ".join(evaluations),
            cause=f"a comparison takes two to {MOST_COMPARED} different evaluations",
            next_step="See which there are: brewslm task list.",
        )  # fmt: skip
    with reading() as session:
        found = [_evaluation(session, one) for one in ids]
    for other in found[1:]:
        _check_alike(found[0], other)
    answers = [_answers(one) for one in found]
    for one, said in zip(found[1:], answers[1:], strict=True):
        if list(said) != list(answers[0]):
            raise StageError(NotComparable(), where=f"{ids[0]}, {one.run_id}", cause="their answers are not to the same rows")
    return compared(found, answers)


def evaluation_of(run_id: str) -> Evaluation:
    """The evaluation's row of its table.

    Raises:
        StageError(UnknownRun): There is no evaluation of this id.
    """
    with reading() as session:
        return _evaluation(session, run_id)


def _evaluation(session: Session, run_id: str) -> Evaluation:
    run = run_of(session, run_id)
    found = session.get(Evaluation, run_id)
    if found is None:
        cause = f"it is a run of {run.operation}, and {run.state}"
        raise StageError(UnknownRun(), "There is no evaluation of this id", where=run_id, cause=cause)
    session.expunge(found)
    return found


def folder_of(evaluation: Evaluation) -> Path:
    """Where its scorecard, its answers and its errors stand."""
    return project_folder(evaluation.project_id) / "evaluations" / evaluation.run_id


def _measured(evaluation: Evaluation) -> dict[str, str | None]:
    """What two evaluations must have in common, in words: rows, and how an answer was had and scored.

    None where a scorecard of a former version does not say.
    """
    card = evaluation.scorecard
    known: dict[str, Any] = {
        "project": evaluation.project_id,
        "manifest": f"v{card.get('manifest_version')} ({str(card.get('manifest_sha256'))[:12]})",
        "rows": card.get("rows_from", "eval"),
        "rows' hash": card.get("rows_sha256"),
        "task profile": card.get("task_profile"),
        "scoring mode": card.get("scoring_mode"),
        "scoring": card.get("systems", {}).get(SYSTEM, {}).get("scoring"),
    }
    return {name: str(value) if value else None for name, value in known.items()}


def _check_alike(first: Evaluation, other: Evaluation) -> None:
    one, two = _measured(first), _measured(other)
    for name, value in one.items():
        if value and two[name] and value != two[name]:
            where, cause = f"{first.run_id}, {other.run_id}", f"{name}: {value} and {two[name]}"
            raise StageError(NotComparable(), where=where, cause=cause)


def _answers(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    path = folder_of(evaluation) / f"predictions-{SYSTEM}.jsonl"
    if not path.is_file():
        raise StageError(NotAnalysed(), where=evaluation.run_id, cause=f"{path.name} is gone")
    return {line["row_id"]: line for line in RowFile(path).rows()}


def compared(found: Sequence[Evaluation], answers: Sequence[dict[str, dict[str, Any]]]) -> Comparison:
    """Hold answers to the same rows against the first evaluation's.

    Args:
        answers: Of each evaluation, its lines of the predictions file by row id.
    """
    right = [{row: bool(line["correct"]) for row, line in said.items()} for said in answers]
    tests = [paired_test(list(one.values()), list(right[0].values()))["p_value"] for one in right[1:]]
    p_values = zip([None, *tests], [None, *holm(tests)], strict=True)
    rows = {row: [one[row] for one in right] for row in right[0]}
    card = found[0].scorecard
    return Comparison(
        project=found[0].project_id, manifest_version=card["manifest_version"], task_profile=card["task_profile"], n=len(rows),
        evaluations=[
            Compared(
                evaluation=one.run_id, experiment=one.experiment_id, eval_pack=one.eval_pack, correct=sum(now.values()),
                p_value=p_value, p_corrected=corrected, **(_changes(right[0], now) if place else {}),
            )
            for place, (one, now, (p_value, corrected)) in enumerate(zip(found, right, p_values, strict=True))
        ],
        always_right=sum(all(said) for said in rows.values()), always_wrong=sum(not any(said) for said in rows.values()),
        changed=[
            ComparedRow(
                row_id=row, expected=answers[0][row]["expected"], outputs=[said[row]["output"] for said in answers], correct=had
            )
            for row, had in rows.items() if len(set(had)) > 1
        ],
    )  # fmt: skip


def _changes(before: dict[str, bool], now: dict[str, bool]) -> dict[str, list[str]]:
    kinds = {
        (False, True): "fixed", (True, False): "broken", (False, False): "still_wrong", (True, True): "right_in_both",
    }  # fmt: skip
    found: dict[str, list[str]] = {kind: [] for kind in kinds.values()}
    for row, was in before.items():
        found[kinds[was, now[row]]].append(row)
    return found
