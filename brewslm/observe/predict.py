"""Ask a trained experiment, or a deployment. Nothing is written: an answer changes no state."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.handlers.generating import GeneratingHandler
from brewslm.handlers.safety import SafetyHandler
from brewslm.media import MediaKind, Unusable, facts_of
from brewslm.metrics.refusal import is_refusal
from brewslm.models.prompt import Predictor
from brewslm.reasons.refusals import (
    EndpointUnavailable,
    InvalidRequest,
    ModelServerBroke,
    ModelServerSilent,
    NotTrained,
    UnknownDeployment,
)
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.serving.asking import Unanswered, answering, answers, predictor_of
from brewslm.serving.endpoints import Endpoint, locate
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable, target_of
from brewslm.serving.temporary import serve_for_now
from brewslm.settings import settings
from brewslm.store import tables
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import experiment_of, project_of

Input = str | dict[str, Any]
"""A text, or an object with the task's input field and what else its prompt reads and, if it likes, a row_id."""


class Answer(BaseModel):
    """What the model said to one input.

    Attributes:
        row_id: The input's, or its place: "input-1".
        output: A label, an answer, or spans {type, start, end, text}.
        scores: Label to probability; {} for other tasks.
        problems: Count by kind of what could not be used of the model's answer.
    """

    row_id: str
    input: str
    output: Any
    scores: dict[str, float]
    problems: dict[str, int]


def read_inputs(lines: Iterable[str], where: str) -> list[Input]:
    """Inputs from JSON lines; empty lines are passed over.

    Raises:
        StageError(InvalidRequest): A line is neither a JSON string nor an object.
    """
    found: list[Input] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise StageError(
                InvalidRequest(), "The input can't be read", where=f"{where}, line {number}", cause=error.msg
            ) from None
        if not isinstance(value, str | dict):
            raise StageError(
                InvalidRequest(),
                "The input can't be read",
                where=f"{where}, line {number}",
                cause="it is neither a text nor an object",
            )
        found.append(value)
    return found


def ask_experiment(experiment_id: str, inputs: Sequence[Input], readable: Callable[[str], str] = str) -> list[Answer]:
    """Load the experiment's model here, and ask it.

    Args:
        readable: Gives the path of a picture or recording that an input names, or raises where it may not be read.

    Raises:
        StageError(UnknownRun, NotTrained, InvalidRequest): There is no such model, or an input that it can't be asked.
    """
    from brewslm.models.asking import LoadedModel
    from brewslm.models.catalogue import base_model
    from brewslm.models.loading import set_threads
    from brewslm.models.trained import trained_weights

    with reading() as session:
        experiment = experiment_of(session, experiment_id)
        handler = _handler(session, experiment)
    rows = _rows(handler, inputs, readable)
    adapter = project_folder(experiment.project_id) / experiment.adapter_path
    if not trained_weights(adapter).is_file():
        raise StageError(NotTrained(), f"{experiment_id} has lost its adapter", where=experiment.adapter_path)
    set_threads()
    return _ask(handler, LoadedModel(base_model(experiment.base_model), handler.schema, adapter).predictor(), rows)


def ask_deployment(deployment: str, inputs: Sequence[Input], project: int | None = None) -> list[Answer]:
    """Ask a deployment's model server; where none is up, one is started for these inputs alone.

    Args:
        deployment: A slot's name, such as "default", or a version's number.
        project: The slot's project; needed where several have a slot of this name.

    Raises:
        StageError(EndpointUnavailable): Nothing is promoted, or no server could be started.
        StageError(UnknownProject, UnknownDeployment, InvalidRequest): There is no such deployment, or several.
    """
    with reading() as session:
        version = _version(session, deployment, project)
        export = session.get_one(tables.Export, version.export_id)
        handler = _handler(session, experiment_of(session, export.experiment_id))
    rows = _rows(handler, inputs)
    try:
        with _live(version, export) as endpoint:
            return _told(handler, rows, answers(endpoint, handler, rows))
    except (Unanswered, ModelServerFailed) as error:
        raise StageError(EndpointUnavailable(), "The model did not answer", where=deployment, cause=str(error)) from error


class HowAsked(BaseModel):
    """In which words a model is asked.

    Attributes:
        input_field: Of a row: what is asked; `also_asked`: further fields that its prompt reads.
        media: "image" or "audio" where the input is a file's path; None of a text.
        labels: Those that it chooses from; [] where it writes.
    """

    task_profile: str
    input_field: str
    also_asked: list[str]
    media: str | None
    labels: list[str]


def how_asked(deployment: int) -> HowAsked:
    """Of a deployment version.

    Raises:
        StageError(ManifestMismatch): The manifest that it learnt from was changed, or is gone.
    """
    return words_of(_handler_of(deployment, settings().resolved_database_url))


def words_of(handler: TaskHandler) -> HowAsked:
    """Of whatever a handler asks."""
    return HowAsked(
        task_profile=handler.profile, input_field=handler.input_field, also_asked=list(handler.also_asked),
        media=str(handler.media) if handler.media else None, labels=list(handler.schema.labels),
    )  # fmt: skip


class ServerGone(Exception):
    """A model server is not there any more: another may answer the same.

    Attributes:
        was_asked: It got the request; False where nobody listened.
    """

    def __init__(self, cause: str, was_asked: bool) -> None:
        self.was_asked = was_asked
        super().__init__(cause)


def ask_live(
    version_id: int, endpoint: Endpoint, asked: Input, readable: Callable[[str], str], timeout_seconds: float
) -> Answer:  # fmt: skip
    """Ask the server of a deployment version about one row. What is known of the version and its server is kept for the next row.

    Args:
        readable: As in `ask_experiment`.

    Raises:
        ServerGone: It can't be reached, or is just ending.
        StageError(InvalidRequest): It can't be asked this.
        StageError(ModelServerSilent, ModelServerBroke): It did not answer in time, or not as it should.
    """
    handler = _handler_of(version_id, settings().resolved_database_url)
    rows = _rows(handler, [asked], readable)
    try:
        if endpoint.rows:
            return _told(handler, rows, answers(endpoint, handler, rows, timeout_seconds, retries=0))[0]
        with answering(endpoint):
            return _told(handler, rows, handler.predict(rows, _predictor(endpoint, timeout_seconds)))[0]
    except Unanswered as error:
        raise _why_unanswered(error, endpoint) from error


class Timed(BaseModel):
    """An answer, and the time that it took.

    Attributes:
        seconds: From the question to the whole answer; first_seconds: to its first token, where it was streamed.
        tokens: That were written; None where the endpoint does not count them.
        tokens_per_second: After the first one.
        refused: Whether it is a refusal, of a model that was taught to refuse; None of any other.
    """

    answer: Answer
    seconds: float
    first_seconds: float | None = None
    tokens: int | None = None
    tokens_per_second: float | None = None
    refused: bool | None = None


def ask_streaming(
    handler: TaskHandler, endpoint: Endpoint, asked: Input, readable: Callable[[str], str], on_text: Callable[[str], None],
    timeout_seconds: float,
) -> Timed:  # fmt: skip
    """Ask a live server about one row, in the words of its task; what it writes is told part by part.

    Labels and spans come whole: there is nothing to stream of them.

    Raises:
        StageError(InvalidRequest): It can't be asked this.
        StageError(EndpointUnavailable): It did not answer, or not as was agreed.
    """
    rows = _rows(handler, [asked], readable)
    began = time.monotonic()
    try:
        if not isinstance(handler, GeneratingHandler) or not endpoint.chat:
            said = _told(handler, rows, answers(endpoint, handler, rows, timeout_seconds, retries=0))[0]
            return Timed(answer=said, seconds=time.monotonic() - began)
        from brewslm.models.streaming import StreamingPredictor

        key = endpoint.secret or "none"
        predictor = StreamingPredictor(
            endpoint.base_url, endpoint.model, api_key=key, timeout_seconds=timeout_seconds, retries=0, on_text=on_text
        )
        with answering(endpoint):
            said = _told(handler, rows, handler.predict(rows, predictor))[0]
    except Unanswered as error:
        raise StageError(EndpointUnavailable(), "The model did not answer", where=endpoint.model, cause=str(error)) from error
    return Timed(
        answer=said, seconds=time.monotonic() - began, first_seconds=predictor.first and predictor.first - began,
        tokens=predictor.tokens, tokens_per_second=predictor.tokens_per_second,
        refused=is_refusal(str(said.output)) if isinstance(handler, SafetyHandler) else None,
    )  # fmt: skip


def _why_unanswered(error: Unanswered, endpoint: Endpoint) -> Exception:
    import httpx2
    import openai

    cause, status = error.__cause__, getattr(getattr(error.__cause__, "response", None), "status_code", 0)
    if isinstance(cause, openai.APITimeoutError | httpx2.TimeoutException):
        return StageError(ModelServerSilent(), "The model server is silent", where=endpoint.model)
    if status == 503 or isinstance(cause, openai.APIConnectionError | httpx2.TransportError):
        nobody_listened = any(isinstance(one, httpx2.ConnectError) for one in (cause, getattr(cause, "__cause__", None)))
        return ServerGone(type(cause).__name__, was_asked=not nobody_listened)
    if status in (400, 422):
        return StageError(InvalidRequest(), "The model server refuses this row", where=endpoint.model, cause=str(error))
    return StageError(ModelServerBroke(), "The model server did not answer as it should", where=endpoint.model, cause=str(error))


@lru_cache(64)
def _handler_of(version_id: int, _database: str) -> TaskHandler:
    """Of the version's data manifest, which never changes."""
    with reading() as session:
        export = session.get_one(tables.Export, session.get_one(tables.DeploymentVersion, version_id).export_id)
        return _handler(session, experiment_of(session, export.experiment_id))


@lru_cache(64)
def _predictor(endpoint: Endpoint, timeout_seconds: float) -> Predictor:
    """One for each server: what it can do is tried once."""
    return predictor_of(endpoint, timeout_seconds=timeout_seconds, retries=0)


def handler_of_experiment(experiment_id: str) -> TaskHandler:
    """The handler that an experiment's rows are asked by.

    Raises:
        StageError(UnknownRun, NotTrained): There is no such finished experiment.
        StageError(ManifestMismatch): The manifest that it learnt from was changed, or is gone.
    """
    return _handler_of_experiment(experiment_id, settings().resolved_database_url)


@lru_cache(64)
def _handler_of_experiment(experiment_id: str, _database: str) -> TaskHandler:
    with reading() as session:
        return _handler(session, experiment_of(session, experiment_id))


def _handler(session: Session, experiment: tables.Experiment) -> TaskHandler:
    manifest = session.get_one(tables.DataManifest, experiment.manifest_id)
    prepared = PreparedData(project_folder(experiment.project_id) / manifest.path, manifest.sha256).manifest
    return handler_for(prepared.task_profile, prepared.output_schema)


def _version(session: Session, deployment: str, project: int | None) -> tables.DeploymentVersion:
    if deployment.isdigit():
        numbered = session.get(tables.DeploymentVersion, int(deployment))
        if numbered is None or project not in (None, numbered.project_id):
            raise StageError(UnknownDeployment(), where=deployment)
        return numbered
    query = select(tables.Slot).where(tables.Slot.name == deployment, tables.Slot.version_id.is_not(None))
    if project is not None:
        query = query.where(tables.Slot.project_id == project_of(session, project).id)
    slots = session.scalars(query.order_by(tables.Slot.project_id)).all()
    if not slots:
        raise StageError(EndpointUnavailable(), where=deployment, cause="no version is promoted under this name")
    if len(slots) > 1:
        known = ", ".join(str(slot.project_id) for slot in slots)
        raise StageError(InvalidRequest(), f"several projects have a slot {deployment}", cause=known, next_step="Name --project.")
    return session.get_one(tables.DeploymentVersion, slots[0].version_id)


@contextmanager
def _live(version: tables.DeploymentVersion, export: tables.Export) -> Iterator[Endpoint]:
    """The version's own server, or one for the block."""
    served = locate(version.id)
    if served is not None:
        yield served
        return
    if target_of(version.target).rents:
        raise StageError(EndpointUnavailable(), where=f"{version.slot} v{version.version}", cause="nobody keeps its machine now")
    with serve_for_now(Servable.of(version, export)) as endpoint:
        yield endpoint


def _rows(handler: TaskHandler, inputs: Sequence[Input], readable: Callable[[str], str] = str) -> list[PreparedRow]:
    name = handler.input_field
    rows = []
    for place, one in enumerate(inputs, 1):
        payload = {name: one} if isinstance(one, str) else one
        if handler.media is not None:
            payload = payload | {name: _file(payload.get(name), handler.media, f"input {place}", readable)}
        if not handler.question(payload):
            raise StageError(InvalidRequest(), f"input {place} has no {name}", cause=f"{handler.profile} is asked by {name}")
        asked = {field: payload[field] for field in (name, *handler.also_asked) if field in payload}
        rows.append(PreparedRow(row_id=str(payload.get("row_id", f"input-{place}")), payload=asked))
    if not rows:
        raise StageError(InvalidRequest(), "There is nothing to ask", next_step="Give a text, or JSON lines.")
    return rows


def _file(named: Any, kind: MediaKind, where: str, readable: Callable[[str], str]) -> dict[str, Any]:
    """The facts of the picture or recording that an input names."""
    if not isinstance(named, str):
        raise StageError(InvalidRequest(), f"{where} names no file", cause=f"it needs the path of the {kind}, or a data: address")
    try:
        return facts_of(named if named.startswith("data:") else readable(named), kind)
    except Unusable as why:
        raise StageError(
            InvalidRequest(), f"The {kind} of {where} can't be used", cause=f"{why.reason.value}: {why.detail}",
            next_step=why.reason.remedy,
        ) from None  # fmt: skip


def _ask(handler: TaskHandler, predictor: Predictor, rows: Sequence[PreparedRow]) -> list[Answer]:
    return _told(handler, rows, handler.predict(rows, predictor))


def _told(handler: TaskHandler, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> list[Answer]:
    return [
        Answer(
            row_id=said.row_id,
            input=handler.question(row.payload),
            output=said.output,
            scores=said.scores,
            problems=said.problems,
        )
        for row, said in zip(rows, predictions, strict=True)
    ]
