"""One served model asked the rows that an experiment is judged by, without base and baselines: for what is asked every day."""

import hashlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import orjson

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.prompt import Labelling, Listener
from brewslm.processes.context import Context
from brewslm.reasons.eval import EvalDatasetMissing, EvalRuntimeError
from brewslm.rows.gold import GoldData, GoldFile
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.serving import Endpoint
from brewslm.stages.contract import Job
from brewslm.stages.evaluate.answers import Answers, ask
from brewslm.stages.evaluate.job import gold_file
from brewslm.stages.evaluate.subject import Subject, subject_of
from brewslm.store import tables
from brewslm.store.records import Records, experiment_of, locked_gold_sets

MOST_ROWS = 500
"""Of a larger set a part is asked, the same each time: a check shall not keep a server busy for an hour."""
ANSWER_SECONDS = 60.0
AGAIN = "See that it runs, then try again."


class LiveJob(Job):
    """What is asked, and of which deployment version.

    Attributes:
        subject: The version's file, where it has one.
        gold: The locked gold set whose rows are asked; None for the manifest's eval split.
    """

    experiment_id: str
    subject: Subject
    manifest_path: Path
    manifest_sha256: str
    gold: GoldFile | None


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


def live_job(experiment_id: str, deployment: int, gold_set: str | None, records: Records) -> LiveJob:
    """Freeze what is asked.

    Args:
        gold_set: Such as "support" or "support@2"; None: the gold set of the experiment's task that was locked last, or the eval
            split where there is none.

    Raises:
        StageError(UnknownGoldSet, InvalidRequest): There is no such gold set, or the task can't be asked over HTTP.
    """
    experiment = experiment_of(records.session, experiment_id)
    manifest = records.session.get_one(tables.DataManifest, experiment.manifest_id)
    label = gold_set or _newest(records, manifest.task_profile)
    return LiveJob(
        experiment_id=experiment_id,
        subject=subject_of(f"deployment-{deployment}", experiment, manifest.task_profile, records),
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
) -> Answers:  # fmt: skip
    """Put the rows to a model server; answers that a former attempt kept in `path` are not asked for again.

    Args:
        scoring: How the answers shall be had, so that they can be compared with others; None: in the best way that it knows.

    Raises:
        StageError(EvalRuntimeError): It does not answer, or not as a model server does, or its answers can't be had in that way.
    """
    labelling = _labelling(scoring)

    def made(listener: Listener) -> EndpointPredictor:
        return EndpointPredictor(endpoint.base_url, endpoint.model, listener, labelling, timeout_seconds=ANSWER_SECONDS)

    done = 0

    def count(answers: int) -> None:
        nonlocal done
        done += answers
        context.check()
        context.progress(min(len(asked.rows), done // asked.handler.asks_per_row), len(asked.rows), "rows")

    path.parent.mkdir(parents=True, exist_ok=True)
    made_from = hashlib.sha256(f"{asked.sha256} {job.subject.name} {path.stem} {labelling}".encode()).hexdigest()
    with _answering(job):
        found = ask(asked.handler, asked.rows, None, path, made_from, made, count)
    if scoring is not None and found.scoring != scoring:
        raise _not_answered(job, f"its answers are had by {found.scoring}, and those of the reference by {scoring}")
    return found


def _labelling(scoring: str | None) -> Labelling | None:
    known: dict[str, Labelling] = {one: one for one in get_args(Labelling)}
    return known.get(scoring or "")


@contextmanager
def _answering(job: LiveJob) -> Any:
    import openai

    try:
        yield
    except openai.APIError as error:
        raise _not_answered(job, f"its model server did not answer as it should: {type(error).__name__}") from error


def _not_answered(job: LiveJob, cause: str) -> StageError:
    reason = EvalRuntimeError(experiment_id=job.experiment_id, error=cause)
    return StageError(reason, where=job.subject.name, cause=cause, next_step=AGAIN)
