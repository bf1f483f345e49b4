"""One served model asked the rows that an experiment is judged by, without base and baselines: for what is asked every day."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, get_args

import orjson

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.prompt import Labelling, Listener
from brewslm.processes.context import Context
from brewslm.reasons.eval import EvalDatasetMissing, EvalRuntimeError
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.gold import GoldData, GoldFile
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.serving.asking import Unanswered, answering, answers
from brewslm.serving.endpoints import Endpoint
from brewslm.stages.contract import Job
from brewslm.stages.evaluate.answers import ask
from brewslm.stages.evaluate.job import gold_file
from brewslm.store import tables
from brewslm.store.records import Records, experiment_of, locked_gold_sets

MOST_ROWS = 500
"""Of a larger set a part is asked, the same each time: a check shall not keep a server busy for an hour."""
ANSWER_SECONDS, RETRIES = 60.0, 2
BATCH = 8
"""Rows that are sent together to a server that answers rows."""
AGAIN = "See that it runs, then try again."


class LiveJob(Job):
    """What is asked.

    Attributes:
        gold: The locked gold set whose rows are asked; None for the manifest's eval split.
    """

    experiment_id: str
    manifest_path: Path
    manifest_sha256: str
    gold: GoldFile | None


class Said(NamedTuple):
    """What a model server answered, row by row; `scoring` is how it was had."""

    predictions: list[Prediction]
    scoring: str


@dataclass(frozen=True)
class LiveRows:
    """The rows that are asked.

    Attributes:
        source: "eval", or "gold support@2".
        sha256: Of the rows' ids and contents: of the same rows it is the same.
        of: How many rows the set has.
    """

    handler: TaskHandler
    rows: list[PreparedRow]
    source: str
    sha256: str
    of: int


def live_job(experiment_id: str, gold_set: str | None, records: Records) -> LiveJob:
    """Freeze what is asked.

    Args:
        gold_set: Such as "support" or "support@2"; None: the gold set of the experiment's task that was locked last, or the eval
            split where there is none.

    Raises:
        StageError(UnknownGoldSet, InvalidRequest): There is no such gold set, or it is of another task.
    """
    experiment = experiment_of(records.session, experiment_id)
    manifest = records.session.get_one(tables.DataManifest, experiment.manifest_id)
    label = gold_set or _newest(records, manifest.task_profile)
    return LiveJob(
        experiment_id=experiment_id,
        manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256,
        gold=gold_file(label, records, manifest.task_profile),
    )


def _newest(records: Records, task_profile: str) -> str | None:
    known = [one for one in locked_gold_sets(records.session, records.project_id) if one.task_profile == task_profile]
    newest = max(known, key=lambda one: one.id, default=None)
    return f"{newest.name}@{newest.version}" if newest else None


def live_rows(job: LiveJob) -> LiveRows:
    """Read them, once they are known to be what was frozen.

    Raises:
        StageError(ManifestMismatch, GoldSetChanged): A file is gone or was changed.
        StageError(EvalDatasetMissing): There is no row.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    every, source = (data.eval(), "eval") if job.gold is None else (GoldData(job.gold).rows(), f"gold {job.gold.label}")
    if not every:
        raise StageError(EvalDatasetMissing(experiment_id=job.experiment_id, error="there are no rows to ask"), where=source)
    asked = _part(every)
    digest = hashlib.sha256(b"".join(orjson.dumps([row.row_id, row.payload], option=orjson.OPT_SORT_KEYS) for row in asked))
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    return LiveRows(handler, asked, source, digest.hexdigest(), len(every))


def _part(rows: Sequence[PreparedRow]) -> list[PreparedRow]:
    """All of them, or those that come first in an order that has nothing to do with them; in their own order."""
    chosen = sorted(rows, key=lambda row: hashlib.sha256(row.row_id.encode()).digest())[:MOST_ROWS]
    wanted = {row.row_id for row in chosen}
    return [row for row in rows if row.row_id in wanted]


def ask_live(
    job: LiveJob, asked: LiveRows, endpoint: Endpoint, path: Path, context: Context, scoring: str | None = None
) -> Said:  # fmt: skip
    """Put the rows to a model server. Answers that a former attempt kept in `path` are not asked for again, where it chats.

    Args:
        scoring: How the answers shall be had, so that they can be compared with others; None: in the best way that it knows.

    Raises:
        StageError(EvalRuntimeError): It does not answer, or not as a model server does, or its answers can't be had in that way.
        StageError(InvalidRequest): It takes chats alone, and the task is not asked so.
    """
    try:
        with answering(endpoint):
            found = _rows(asked, endpoint, context) if endpoint.rows else _chats(asked, endpoint, path, context, scoring)
    except Unanswered as error:
        raise _not_answered(job, str(error)) from error
    if scoring is not None and found.scoring != scoring:
        raise _not_answered(job, f"its answers are had by {found.scoring}, and those of the reference by {scoring}")
    return found


def _rows(asked: LiveRows, endpoint: Endpoint, context: Context) -> Said:
    found: list[Prediction] = []
    for start in range(0, len(asked.rows), BATCH):
        context.check()
        context.progress(len(found), len(asked.rows), "rows")
        batch = asked.rows[start : start + BATCH]
        found += answers(endpoint, asked.handler, batch, timeout_seconds=ANSWER_SECONDS * len(batch))
    return Said(found, "rows")


def _chats(asked: LiveRows, endpoint: Endpoint, path: Path, context: Context, scoring: str | None) -> Said:
    handler, done = asked.handler, 0
    if handler.measures_given_texts or handler.media:
        cause = "an endpoint that chats can't say how probable a given text is, nor take our pictures and recordings"
        raise StageError(InvalidRequest(), f"{handler.profile} can't be asked there", where=endpoint.model, cause=cause)
    labelling = _labelling(scoring)

    def made(listener: Listener) -> EndpointPredictor:
        return EndpointPredictor(
            endpoint.base_url, endpoint.model, listener, labelling, api_key=endpoint.secret or "none",
            timeout_seconds=ANSWER_SECONDS, retries=RETRIES,
        )  # fmt: skip

    def count(answered: int) -> None:
        nonlocal done
        done += answered
        context.check()
        context.progress(min(len(asked.rows), done // handler.asks_per_row), len(asked.rows), "rows")

    path.parent.mkdir(parents=True, exist_ok=True)
    made_from = hashlib.sha256(f"{asked.sha256} {endpoint.model} {path.stem} {labelling}".encode()).hexdigest()
    said = ask(handler, asked.rows, None, path, made_from, made, count)
    return Said(said.predictions, said.scoring or "")


def _labelling(scoring: str | None) -> Labelling | None:
    known: dict[str, Labelling] = {one: one for one in get_args(Labelling)}
    return known.get(scoring or "")


def _not_answered(job: LiveJob, cause: str) -> StageError:
    reason = EvalRuntimeError(experiment_id=job.experiment_id, error=cause)
    return StageError(reason, cause=cause, next_step=AGAIN)
