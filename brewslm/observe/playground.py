"""Models of a project that can be asked by hand: what is deployed, exported variants, and the base that each came from."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model
from brewslm.observe.predict import HowAsked, Input, Timed, ask_streaming, handler_of_experiment, words_of
from brewslm.reasons.refusals import EndpointUnavailable, UnknownRun
from brewslm.serving.endpoints import Endpoint, failure_of, locate
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable, target_of
from brewslm.serving.tryouts import TRYOUTS
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import experiment_of, project_of
from brewslm.store.tables import DeploymentVersion, Experiment, Export, Slot

State = Literal["live", "starting", "idle", "failed"]
EXPORTS = 5
"""The newest so many are offered."""
ANSWER_SECONDS = 300.0
HERE = "local"
"""The target that serves a file on this machine."""


class Playable(BaseModel):
    """A model, and whether it can be asked now.

    Attributes:
        id: "deployment-3", "export-1:gguf-q8_0", or "exp-1:base".
        experiment: That made it; of a base, that began from it.
        state: "live": it is served. "idle": it can be started for the playground. "failed": it can't be, or was not: `why`.
    """

    id: str
    title: str
    experiment: str
    state: State
    why: str = ""


def playables(project: int) -> list[Playable]:
    """Every model that can be asked: what is promoted first, then the newest exports, then their bases.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        versions = session.scalars(
            select(DeploymentVersion)
            .join(Slot, Slot.version_id == DeploymentVersion.id)
            .where(Slot.project_id == project)
            .order_by(Slot.name != "default", Slot.name)
        ).all()
        exports = session.scalars(
            select(Export).where(Export.project_id == project).order_by(Export.created_at.desc()).limit(EXPORTS)
        ).all()
        made = {one.run_id: one.experiment_id for one in session.scalars(select(Export).where(Export.project_id == project))}
        artifacts = {one.experiment_id: one.artifacts for one in exports}
        experiments = [session.get_one(Experiment, one) for one in dict.fromkeys(one.experiment_id for one in exports)]
    found = [_deployed(one, made[one.export_id]) for one in versions]
    for export in exports:
        found += [
            _tried(f"{export.run_id}:{name}", f"{export.run_id}:{name}, {export.experiment_id}", export.experiment_id)
            for name in export.artifacts
            if name.startswith("gguf") or name == "hf"
        ]
    return found + [
        _tried(f"{one.run_id}:base", f"{one.base_model}, the base of {one.run_id}", one.run_id)
        for one in experiments
        if any(name.startswith("gguf") for name in artifacts[one.run_id])  # one with a head for labels can't be asked untrained
    ]


def _deployed(version: DeploymentVersion, experiment: str) -> Playable:
    name = f"{version.slot} v{version.version}"
    shown = Playable(id=f"deployment-{version.id}", title=f"{name}, {experiment}", experiment=experiment, state="live")
    if locate(version.id) is not None:
        return shown
    if why := failure_of(version.id):
        return shown.model_copy(update={"state": "failed", "why": f"its model server could not be started: {why}"})
    if target_of(version.target).rents:
        return shown.model_copy(update={"state": "failed", "why": "nobody keeps its machine now: brewslm serve does"})
    return _tried(shown.id, shown.title, experiment)


def _tried(name: str, title: str, experiment: str) -> Playable:
    state: State
    try:
        live = TRYOUTS.endpoint(name) is not None
        state, why = "live" if live else "starting" if TRYOUTS.is_starting(name) else "idle", ""
    except ModelServerFailed as error:
        state, why = "failed", str(error)
    return Playable(id=name, title=title, experiment=experiment, state=state, why=why)


def playable(project: int, name: str) -> Playable | None:
    """One of them; None where there is none of this id."""
    return next((one for one in playables(project) if one.id == name), None)


def how_to_ask(experiment: str) -> HowAsked:
    """In which words its models are asked.

    Raises:
        StageError(UnknownRun, NotTrained, ManifestMismatch): They are not known any more.
    """
    return words_of(handler_of_experiment(experiment))


def start(project: int, name: str) -> None:
    """Begin to start a model server for the playground alone; it is ended when nobody asks it. Returns at once.

    Raises:
        StageError(UnknownRun): There is no such model.
        StageError(EndpointUnavailable): It can't be served on this machine.
    """
    servable = _servable(project, name)
    lacking = target_of(servable.target).lacking(servable)
    if lacking:
        raise StageError(EndpointUnavailable(), f"{name} can't be served here", cause=lacking.cause, next_step=lacking.next_step)
    if not servable.path.exists():
        cause = "its file is missing"
        raise StageError(EndpointUnavailable(), f"{name} can't be served", cause=cause, next_step="Export the model again.")
    try:
        TRYOUTS.start(name, servable)
    except ModelServerFailed as error:
        raise StageError(EndpointUnavailable(), f"{name} could not be started", cause=str(error)) from error


def ask(project: int, name: str, asked: Input, readable: Callable[[str], str], on_text: Callable[[str], None]) -> Timed:
    """Ask one, in the words that it was trained on. Nothing is written down.

    Raises:
        StageError(EndpointUnavailable): It is not served now, or did not answer.
        StageError(UnknownRun, InvalidRequest): There is no such model, or it can't be asked this.
    """
    found = playable(project, name)
    if found is None:
        raise _unknown(name)
    endpoint = _endpoint(name)
    if endpoint is None:
        raise StageError(EndpointUnavailable(), f"{name} is not served now", cause=found.why, next_step="Start it here.")
    TRYOUTS.used(name)
    return ask_streaming(handler_of_experiment(found.experiment), endpoint, asked, readable, on_text, ANSWER_SECONDS)


def _endpoint(name: str) -> Endpoint | None:
    kind, _, number = name.partition("-")
    if kind == "deployment" and number.isdigit() and (found := locate(int(number))) is not None:
        return found
    try:
        return TRYOUTS.endpoint(name)
    except ModelServerFailed as error:
        raise StageError(EndpointUnavailable(), f"{name} ended", cause=str(error), next_step="Start it again.") from error


def _unknown(name: str) -> StageError:
    return StageError(UnknownRun(), where=name[:80], cause="the project has no such model to ask")


def _servable(project: int, name: str) -> Servable:
    subject, _, variant = name.partition(":")
    with reading() as session:
        if subject.startswith("deployment-") and subject[11:].isdigit():
            version = session.get(DeploymentVersion, int(subject[11:]))
            if version is None or version.project_id != project:
                raise _unknown(name)
            return Servable.of(version, session.get_one(Export, version.export_id))
        if variant == "base":
            return _base(project, subject, session)
        export = session.get(Export, subject)
        if export is None or export.project_id != project or variant not in export.artifacts:
            raise _unknown(name)
        return Servable(
            version_id=0, project_id=project, target=HERE, model=variant, variant=variant,
            bundle=project_folder(project) / export.path, artifact=export.artifacts[variant],
        )  # fmt: skip


def _base(project: int, experiment_id: str, session: Session) -> Servable:
    """The base of an experiment, asked by the task of that experiment's bundle."""
    experiment = experiment_of(session, experiment_id)
    newest = select(Export).where(Export.experiment_id == experiment_id).order_by(Export.created_at.desc()).limit(1)
    export = session.scalar(newest)
    if export is None or experiment.project_id != project:
        raise _unknown(f"{experiment_id}:base")
    base = base_model(experiment.base_model)
    path, variant = (base.gguf, "gguf-base") if base.gguf is not None else (base.folder, "hf")
    return Servable(
        version_id=0, project_id=project, target=HERE, model="base", variant=variant,
        bundle=project_folder(project) / export.path, artifact={"path": str(path)},
    )  # fmt: skip
