"""Which rows are asked: the manifest's eval split, or a locked gold set."""

from collections.abc import Sequence
from dataclasses import dataclass

from brewslm.errors import StageError
from brewslm.filters.overlap import Overlap
from brewslm.filters.preset import cleaning_preset
from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.reasons.eval import GoldSetTrained
from brewslm.rows.gold import GoldData
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.rows.splitting import text_key
from brewslm.stages.evaluate.job import EvaluateJob


@dataclass(frozen=True)
class HeldOut:
    """The rows, and what they are known by.

    Attributes:
        source: "eval", or "gold support@2".
        sha256: Of the manifest, or of the gold set's gold.json.
    """

    rows: list[PreparedRow]
    source: str
    sha256: str


def held_out(job: EvaluateJob, data: PreparedData) -> HeldOut:
    """The rows that the job asks.

    Raises:
        StageError(GoldSetChanged): A file of the gold set is not what was locked.
        StageError(GoldSetTrained): The train split of the experiment's manifest has rows of it: it was locked after that.
    """
    if job.gold is None:
        return HeldOut(data.eval(), "eval", data.sha256)
    gold = GoldData(job.gold)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    _check_untrained(job, list(data.rows("train")), gold, handler)
    return HeldOut(gold.rows(), f"gold {job.gold.label}", gold.sha256)


def _check_untrained(job: EvaluateJob, train: Sequence[PreparedRow], gold: GoldData, handler: TaskHandler) -> None:
    """Against every row of train, dev inside: as prepare would have kept them apart."""
    texts = [handler.question(payload) for payload in gold.payloads()]
    row_ids, keys = set(gold.row_ids()), {text_key(text) for text in texts if text}
    asked = [handler.question(row.payload) for row in train]
    same = sum(row.row_id in row_ids for row in train)
    equal = sum(text_key(text) in keys for text in asked if text)
    near = sum(map(bool, Overlap(lambda: texts, cleaning_preset().near_duplicate.jaccard).matches(asked)))
    if same or equal or near:
        assert job.gold is not None
        reason = GoldSetTrained(
            gold_set=job.gold.label, experiment_id=job.experiment_id, same_rows=same, equal_texts=equal, near_duplicates=near
        )
        cause = f"its train split has {same:,} rows of it, {equal:,} with the same text, {near:,} with nearly the same"
        raise StageError(reason, "the gold set can't judge this experiment", where=job.gold.label, cause=cause)
