"""A read-only view of what a system of an evaluation answered, row by row, a page at a time."""

from typing import Any

from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.observe.evaluations import SYSTEM, error_analysis, evaluation_of, folder_of
from brewslm.reasons.refusals import InvalidRequest, NotAnalysed
from brewslm.rows import RowFile
from brewslm.store.files import project_folder
from brewslm.store.tables import Evaluation

PAGE = 50
VERDICTS = ("right", "wrong", "unusable")


class AnswerView(BaseModel):
    """One row.

    Attributes:
        asked: The row's payload as it was held out; {} where it can't be read any more.
        prompt: As the model got it; "" of a baseline's.
        verdict: right, wrong or unusable; None where nothing is expected.
        said: The text that the output was read from, where that differs.
        problems: What made an answer unusable.
        scores: What the system gave each label, where it gave labels.
    """

    row_id: str
    asked: dict[str, Any]
    prompt: str
    output: Any
    expected: Any
    verdict: str | None
    said: str | None
    problems: dict[str, Any]
    scores: dict[str, float]


class AnswersPage(BaseModel):
    """Some answers, in the order of the rows.

    Attributes:
        start: The place of the first of them among those that fit.
        total: How many fit.
        verdicts: Of all answers of the system, how many had each verdict.
    """

    evaluation: str
    experiment: str
    system: str
    systems: list[str]
    start: int
    total: int
    verdicts: dict[str, int]
    answers: list[AnswerView]


def answers(
    evaluation: str,
    system: str = SYSTEM,
    *,
    verdict: str | None = None,
    expected: str | None = None,
    output: str | None = None,
    cluster: str | None = None,
    start: int = 0,
    limit: int = PAGE,
) -> AnswersPage:
    """The answers that fit.

    Args:
        verdict: One of `VERDICTS`.
        expected, output: As text, such as two labels of a confusion matrix.
        cluster: Such as "c1"; its rows are those that the tuned model had wrong.

    Raises:
        StageError(UnknownRun): There is no evaluation of this id.
        StageError(NotAnalysed): Its answers are gone.
        StageError(InvalidRequest): There is no such system, verdict or cluster.
    """
    found = evaluation_of(evaluation)
    folder = folder_of(found)
    systems = sorted(path.stem.removeprefix("predictions-") for path in folder.glob("predictions-*.jsonl"))
    if not systems:
        raise StageError(NotAnalysed(), where=evaluation, cause="its answers are gone")
    _one_of("system", system, systems)
    if verdict is not None:
        _one_of("verdict", verdict, VERDICTS)
    rows = _rows_of(evaluation, cluster) if cluster is not None else None
    counts: dict[str, int] = {}
    fitting: list[dict[str, Any]] = []
    total = 0
    for line in RowFile(folder / f"predictions-{system}.jsonl").rows():
        was = _verdict(line)
        if was is not None:
            counts[was] = counts.get(was, 0) + 1
        if not _fits(line, verdict, expected, output, rows):
            continue
        if start <= total < start + limit:
            fitting.append(line)
        total += 1
    texts = _payloads(found, [line["row_id"] for line in fitting])
    return AnswersPage(
        evaluation=evaluation, experiment=found.experiment_id, system=system, systems=_ordered(found, systems), start=start,
        total=total, verdicts=counts, answers=[_view(line, texts.get(line["row_id"], {})) for line in fitting],
    )  # fmt: skip


def _ordered(evaluation: Evaluation, systems: list[str]) -> list[str]:
    """The tuned model first, the others in the order of the scorecard."""
    known = [name for name in (SYSTEM, *evaluation.scorecard.get("systems", {})) if name in systems]
    return list(dict.fromkeys([*known, *systems]))


def _one_of(what: str, named: str, known: Any) -> None:
    if named not in known:
        cause = f"there is no {what} {named}; there are {', '.join(known)}"
        raise StageError(InvalidRequest(), "These answers can't be shown", where=named, cause=cause)


def _rows_of(evaluation: str, cluster: str) -> set[str]:
    clusters = {one.id: one for one in error_analysis(evaluation).clusters}
    _one_of("cluster", cluster, list(clusters))
    return set(clusters[cluster].row_ids)


def _fits(line: dict[str, Any], verdict: str | None, expected: str | None, output: str | None, rows: set[str] | None) -> bool:
    return (
        (verdict is None or _verdict(line) == verdict)
        and (expected is None or _text(line["expected"]) == expected)
        and (output is None or _text(line["output"]) == output)
        and (rows is None or line["row_id"] in rows)
    )


def _verdict(line: dict[str, Any]) -> str | None:
    """As the line says it; lines of former versions say only whether it was right."""
    if "verdict" in line:
        said: str | None = line["verdict"]
        return said
    return "right" if line["correct"] else "wrong"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def payloads(evaluation: str, row_ids: list[str]) -> dict[str, dict[str, Any]]:
    """What was asked in some rows of an evaluation; those that can't be read any more are left out.

    Raises:
        StageError(UnknownRun): There is no evaluation of this id.
    """
    return _payloads(evaluation_of(evaluation), row_ids)


def _payloads(evaluation: Evaluation, row_ids: list[str]) -> dict[str, dict[str, Any]]:
    """From the eval split of the manifest; rows of a gold set are told by their prompt."""
    card = evaluation.scorecard
    if card.get("rows_from", "eval") != "eval" or "manifest_version" not in card:
        return {}
    path = project_folder(evaluation.project_id) / "prepared" / f"v{card['manifest_version']}" / "eval.jsonl"
    held_out = RowFile(path)
    found = {row: held_out.find(row) for row in row_ids}
    return {row: line["payload"] for row, line in found.items() if line is not None}


def _view(line: dict[str, Any], asked: dict[str, Any]) -> AnswerView:
    raw = line.get("raw")
    return AnswerView(
        row_id=line["row_id"], asked=asked, prompt=line.get("prompt", ""), output=line["output"], expected=line["expected"],
        verdict=_verdict(line), said=raw if isinstance(raw, str) and raw != line["output"] else None,
        problems=line.get("problems") or {}, scores=line.get("scores") or {},
    )  # fmt: skip
