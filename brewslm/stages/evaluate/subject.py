"""What is measured: an experiment, a checkpoint of it, a merged or exported model, a deployment, or any endpoint."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.handlers import HANDLERS
from brewslm.models.asking import LoadedModel
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.prompt import Labelling, Listener, TellingPredictor
from brewslm.models.templates import Style
from brewslm.models.trained import trained_weights
from brewslm.reasons.eval import EvalRuntimeError
from brewslm.reasons.refusals import InvalidRequest, NotExported, NotTrained, UnknownDeployment, UnknownRun
from brewslm.reasons.shown import shown_locator
from brewslm.serving import Endpoint, ModelServerFailed, locate, serve_model
from brewslm.serving.asking import predictor_of
from brewslm.serving.targets import Servable, target_of
from brewslm.serving.temporary import serve_for_now
from brewslm.store import tables
from brewslm.store.files import read_json, sha256
from brewslm.store.records import Records

Kind = Literal["experiment", "checkpoint", "merged", "gguf", "deployment", "endpoint"]
WORDS = "checkpoint-STEP, EXPORT:VARIANT, deployment-N, path:FOLDER, path:FILE.gguf, or http(s)://HOST/v1#MODEL"
_EXPORT = re.compile(r"(export-\d+):([\w-]+)")
_NUMBERED = re.compile(r"(checkpoint|deployment)-(\d+)")
_URL = re.compile(r"(https?://[^#@?\s]+)#(\S+)")


def _absolute(target: str | None) -> str | None:
    """A path becomes absolute where the request is made, for a worker may run it elsewhere."""
    if target is None or not target.startswith("path:"):
        return target
    return f"path:{Path(target.removeprefix('path:')).expanduser().absolute()}"


TargetName = Annotated[str | None, AfterValidator(_absolute)]


class Measured(BaseModel):
    """What a scorecard is of, as it stands there: no path of this machine.

    Attributes:
        name: As it was asked for, a path by its last part.
        sha256: Of the weights; "" of an endpoint, which may change behind its name.
        export, variant, deployment: Of an exported model, where it is one of ours.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    sha256: str = ""
    export: str | None = None
    variant: str | None = None
    deployment: int | None = None


class Subject(Measured):
    """The same, with where it is.

    Attributes:
        path: Of the trained weights' folder, or the GGUF file.
        merged: A model's folder that needs no base.
        base_url: Of an endpoint; `model` is the name that it answers to.
        servable: What a deployment's target serves.
    """

    path: Path | None = None
    merged: BaseModelInfo | None = None
    base_url: str = ""
    model: str = ""
    servable: Servable | None = None

    @property
    def served(self) -> bool:
        """It answers over HTTP, by its own runtime."""
        return self.kind in ("gguf", "deployment", "endpoint")

    def shown(self) -> Measured:
        """Without where it is."""
        return Measured(**self.model_dump(include=set(Measured.model_fields)))

    def check(self, experiment_id: str) -> None:
        """Whether it is still what was asked for.

        Raises:
            StageError(EvalRuntimeError): It is gone, or its hash differs.
        """
        if self.kind == "endpoint":
            return
        if self.merged is not None:
            found, what = base_model(self.merged.locator).sha256, "model"
        else:
            assert self.path is not None
            file, what = (self.path, "file") if self.served else (trained_weights(self.path), "adapter")
            found = sha256(file) if file.is_file() else ""
        if found != self.sha256:
            made = "that was trained" if self.kind == "experiment" else "that was asked for"
            reason = EvalRuntimeError(experiment_id=experiment_id, error=f"the {what}'s hash differs")
            raise StageError(reason, where=self.name, cause=f"it is not the {what} {made}")


def subject_of(target: str | None, experiment: tables.Experiment, task_profile: str, records: Records) -> Subject:
    """Find what is to be measured.

    Raises:
        StageError(InvalidRequest): It is none of `WORDS`, or can't be measured in this way.
        StageError(NotTrained, NotExported, UnknownDeployment, UnknownRun): There is none such of this experiment.
    """
    found = _found(target, experiment, records)
    handlers = HANDLERS.get(task_profile, ())
    if found.served and any(one.measures_given_texts or one.media for one in handlers):
        cause = "an endpoint can't say how probable a given text is, nor take our pictures and recordings"
        step = "Name the experiment's weights, a checkpoint, or a merged folder."
        raise StageError(
            InvalidRequest(), f"{task_profile} can't be measured there", where=found.name, cause=cause, next_step=step
        )
    return found


def _found(target: str | None, experiment: tables.Experiment, records: Records) -> Subject:
    if target is None:
        adapter = records.folder / experiment.adapter_path
        if not trained_weights(adapter).is_file():
            raise StageError(NotTrained(), f"{experiment.run_id} has lost its adapter", where=experiment.adapter_path)
        return Subject(kind="experiment", name=experiment.run_id, path=adapter, sha256=experiment.adapter_sha256)
    if target.startswith("path:"):
        return _from_path(target)
    if url := _URL.fullmatch(target):
        return Subject(kind="endpoint", name=target, base_url=url[1].rstrip("/"), model=url[2])
    if export := _EXPORT.fullmatch(target):
        return _exported(export[1], export[2], experiment, records)
    if numbered := _NUMBERED.fullmatch(target):
        number = int(numbered[2])
        return (_checkpoint if numbered[1] == "checkpoint" else _deployed)(number, experiment, records)
    raise StageError(InvalidRequest(), f"{shown_locator(target)} can't be measured", cause=f"what can: {WORDS}")


def _from_path(target: str) -> Subject:
    path = Path(target.removeprefix("path:"))
    if path.suffix == ".gguf":
        if not path.is_file():
            raise StageError(InvalidRequest(), "There is no such file", where=path.name)
        return Subject(kind="gguf", name=path.name, path=path, sha256=sha256(path))
    merged = base_model(target)
    return Subject(kind="merged", name=path.name, path=path, sha256=merged.sha256, merged=merged)


def _checkpoint(step: int, experiment: tables.Experiment, records: Records) -> Subject:
    every = records.folder / "experiments" / experiment.run_id / "checkpoints"
    folder = every / f"checkpoint-{step}"
    if not (folder / "COMPLETE.json").is_file():
        known = sorted(int(one.parent.name.rpartition("-")[2]) for one in every.glob("checkpoint-*/COMPLETE.json"))
        cause = f"it keeps those of step {', '.join(map(str, known))}" if known else "it keeps none"
        raise StageError(
            NotTrained(), f"{experiment.run_id} has no checkpoint {step}", cause=cause, next_step="Name one of these."
        )
    digest = read_json(folder / "COMPLETE.json")["files"][trained_weights(folder).name]
    return Subject(kind="checkpoint", name=folder.name, path=folder, sha256=digest)


def _exported(export_id: str, variant: str, experiment: tables.Experiment, records: Records) -> Subject:
    export = records.session.get(tables.Export, export_id)
    if export is None or export.experiment_id != experiment.run_id:
        raise StageError(UnknownRun(), where=export_id, cause=f"{experiment.run_id} has no such export")
    name = f"{export_id}:{variant}"
    if variant not in export.artifacts or variant in ("safetensors-adapter", "safetensors-merged"):
        known = [one for one in export.artifacts if one == "hf" or one.startswith("gguf")]
        cause = f"what of it runs by itself: {', '.join(known) or 'nothing'}"
        raise StageError(NotExported(), f"{name} can't be measured", cause=cause)
    artifact, bundle = export.artifacts[variant], records.folder / export.path
    if variant == "hf":
        merged = base_model(f"path:{bundle / artifact['path']}")
        return Subject(
            kind="merged", name=name, path=merged.folder, sha256=merged.sha256, merged=merged, export=export_id, variant=variant
        )  # fmt: skip
    return Subject(
        kind="gguf", name=name, path=bundle / artifact["path"], sha256=artifact["sha256"], export=export_id, variant=variant
    )  # fmt: skip


def _deployed(number: int, experiment: tables.Experiment, records: Records) -> Subject:
    version = records.session.get(tables.DeploymentVersion, number)
    if version is None or version.project_id != experiment.project_id:
        raise StageError(UnknownDeployment(), where=f"deployment-{number}", cause="it is none of this project")
    found = _exported(version.export_id, version.variant, experiment, records)
    servable = Servable.of(version, records.session.get_one(tables.Export, version.export_id))
    name = f"deployment-{number}"
    if not servable.chats:
        cause, step = "its server takes rows, and not the prompts of a comparison with its base", "Measure the same weights:"
        step += f" --target {version.export_id}:{version.variant}."
        raise StageError(InvalidRequest(), f"{name} can't be measured there", cause=cause, next_step=step)
    return found.model_copy(update={"kind": "deployment", "name": name, "deployment": number, "servable": servable})


class Model:
    """What answers: loaded or served when it is first asked something, and not where every answer is there already.

    Args:
        opened: Gives the predictor's maker, and may leave something to be closed on the stack.
    """

    def __init__(self, opened: Callable[[ExitStack], "Maker"]) -> None:
        self._opened = opened
        self._made: Maker | None = None
        self._stack = ExitStack()

    def predictor(self, style: Style | None, listener: Listener) -> TellingPredictor:
        """Opened now, if it was not yet."""
        self._made = self._made or self._opened(self._stack)
        return self._made(style, listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Free its memory, or end its server."""
        self._made = None
        self._stack.close()


Maker = Callable[[Style | None, Listener], TellingPredictor]


def loaded(load: Callable[[], LoadedModel], labelling: Labelling = "label_log_probability") -> Model:
    """Weights in this process."""

    def opened(_stack: ExitStack) -> Maker:
        model = load()
        return lambda style, listener: model.predictor(style, listener, labelling)

    return Model(opened)


def served(subject: Subject, experiment_id: str) -> Model:
    """A model server: an endpoint, the deployment's own where it is up, or one that is started for the evaluation."""

    def opened(stack: ExitStack) -> Maker:
        endpoint = Endpoint(base_url=subject.base_url, model=subject.model)
        if subject.kind != "endpoint":
            found = locate(subject.deployment) if subject.deployment is not None else None
            if found is None:
                try:
                    found = stack.enter_context(_started(subject))
                except ModelServerFailed as error:
                    reason = EvalRuntimeError(experiment_id=experiment_id, error=f"its model server did not start: {error}")
                    raise StageError(reason, where=subject.name, cause=reason.error) from error
            endpoint = found
        return lambda _style, listener: predictor_of(endpoint, listener)

    return Model(opened)


def _started(subject: Subject) -> AbstractContextManager[Endpoint]:
    """A server for the evaluation alone."""
    if subject.servable is None:
        assert subject.path is not None
        return serve_model(subject.path)
    if target_of(subject.servable.target).rents:
        raise ModelServerFailed("nobody keeps its machine now")
    return serve_for_now(subject.servable)
