"""The passport of a model: from its base to what serves it, each hash computed anew and held against what was written down."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model
from brewslm.models.trained import trained_weights
from brewslm.observe.forgetting import Excuses
from brewslm.reasons.refusals import InvalidRequest, PassportBroken, UnknownDeployment, UnknownRun
from brewslm.rows.manifest import PreparedData
from brewslm.store.database import reading
from brewslm.store.files import confined, project_folder, read_json, run_folder, sha256
from brewslm.store.records import experiment_of
from brewslm.store.tables import DataManifest, DeploymentVersion, Evaluation, Experiment, Export, Run

NAMES_ANOTHER = "its manifest names another {} than the experiment has"
LinkName = Literal["base", "manifest", "adapter", "bundle", "merged", "file", "deployment"]


class Link(BaseModel):
    """One link of the chain.

    Attributes:
        name: What it is of, such as "export-2:gguf-q8_0".
        expected_sha256: As it was written down; `found_sha256`: as it is now, "" where nothing is there.
        cause: Why it does not hold; "" where it does.
        note: What a reader should know of one that holds: that a row was forgotten since, and so its hash is another.
    """

    link: LinkName
    name: str
    expected_sha256: str
    found_sha256: str
    cause: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is what it was."""
        return not self.cause


class Step(BaseModel):
    """A run that made a part of it, or measured it.

    Attributes:
        actor: Who asked for it.
        job_sha256: Of its frozen job, which is the record for doing it again; "" where it had none, or it is gone.
        environment: As training recorded it: device, threads, precision, libraries.
    """

    run_id: str
    operation: str
    actor: str
    state: str
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    job_sha256: str
    environment: dict[str, Any] | None


class ModelPassport(BaseModel):
    """The chain, in the order in which a model is made.

    Attributes:
        steps: Who ran what, in the order in which it ended: import, prepare, train, evaluate, export, deploy.
        whole: Every link holds.
        broken: The first that does not; those behind it stand on nothing.
        reason_code: "passport_broken" then.
    """

    subject: str
    project: int
    links: list[Link]
    steps: list[Step] = []
    whole: bool
    broken: Link | None
    reason_code: str | None


def model_passport(subject: str) -> ModelPassport:
    """Compute every hash of a model's chain.

    Args:
        subject: "exp-3", "export-2", "export-2:gguf-q8_0" or "deployment-5".

    Raises:
        StageError(UnknownRun, UnknownDeployment, NotTrained): There is no such experiment, export, variant or deployment.
        StageError(InvalidRequest): It is none of these.
    """
    with reading() as session:
        experiment, export, variant, version = found_model(subject, session)
        project = experiment.project_id
        excuses, manifest = Excuses(session, project), session.get_one(DataManifest, experiment.manifest_id)
        links = [_excused(one, excuses, manifest) for one in _links(experiment, export, variant, version, session)]
        steps = list(steps_of(session, experiment, manifest, export, version))
    broken = next((one for one in links if not one.holds), None)
    return ModelPassport(
        subject=subject, project=project, links=links, steps=steps, whole=broken is None, broken=broken,
        reason_code=PassportBroken.code if broken else None,
    )  # fmt: skip


def _excused(link: Link, excuses: Excuses, manifest: DataManifest) -> Link:
    """A link whose hash is another because a row was forgotten holds, and says so."""
    if link.holds:
        note = excuses.of(manifest.path) if link.link == "manifest" else ""
        return link.model_copy(update={"note": note}) if note else link
    named = link.cause == NAMES_ANOTHER.format("data manifest")  # then what was found is the former one
    was, now = (link.found_sha256, link.expected_sha256) if named else (link.expected_sha256, link.found_sha256)
    why = excuses.why(was, now) if was and now else ""
    return link.model_copy(update={"cause": "", "note": why}) if why else link


def steps_of(
    session: Session, experiment: Experiment, manifest: DataManifest, export: Export | None, version: DeploymentVersion | None
) -> Iterator[Step]:  # fmt: skip
    """Who ran what, in the order in which it ended."""
    ids = [manifest.run_id, experiment.run_id, *([export.run_id] if export else [])]
    ids += session.scalars(select(Evaluation.run_id).where(Evaluation.experiment_id == experiment.run_id))
    found = list(session.scalars(select(Run).where(Run.id.in_(ids))))
    if version is not None:
        deployed = select(Run).where(
            Run.project_id == experiment.project_id, Run.operation.like("deploy.%"), Run.state == "succeeded"
        )
        found += [run for run in session.scalars(deployed) if version.id in _version_of(run)]
    for run in sorted(found, key=lambda run: (run.ended_at or run.created_at, run.created_at)):
        job = run_folder(run.id) / "job.json"
        yield Step(
            run_id=run.id, operation=run.operation, actor=run.actor, state=run.state, attempt=run.attempt,
            started_at=run.started_at, ended_at=run.ended_at, job_sha256=sha256(job) if job.is_file() else "",
            environment=(run.result or {}).get("environment"),
        )  # fmt: skip


def _version_of(run: Run) -> tuple[Any, Any]:
    return run.request.get("deployment"), (run.result or {}).get("deployment")


def must_hold(passport: ModelPassport) -> None:
    """Refuse a model whose chain is broken.

    Raises:
        StageError(PassportBroken): With the first broken link.
    """
    if passport.broken is not None:
        one = passport.broken
        raise StageError(
            PassportBroken(), f"{passport.subject} is not what was trained", where=f"{one.link}: {one.name}", cause=one.cause
        )


Found = tuple[Experiment, Export | None, str | None, DeploymentVersion | None]


def found_model(subject: str, session: Session) -> Found:
    """The experiment of a subject; its export, variant and version where it names them.

    Raises:
        StageError(UnknownRun, UnknownDeployment, NotTrained): There is no such experiment, export, variant or deployment.
        StageError(InvalidRequest): It is none of these.
    """
    kind, _, number = subject.partition(":")[0].rpartition("-")
    variant = subject.partition(":")[2] or None
    if kind == "exp" and variant is None:
        return experiment_of(session, subject), None, None, None
    if kind == "deployment" and number.isdigit() and variant is None:
        version = session.get(DeploymentVersion, int(number))
        if version is None:
            raise StageError(UnknownDeployment(), where=subject)
        export = session.get_one(Export, version.export_id)
        return experiment_of(session, export.experiment_id), export, version.variant, version
    if kind == "export":
        found = session.get(Export, f"export-{number}")
        if found is None or (variant is not None and variant not in found.artifacts):
            cause = "no export has this id" if found is None else f"it has {', '.join(found.artifacts)}"
            raise StageError(UnknownRun(), where=subject, cause=cause)
        return experiment_of(session, found.experiment_id), found, variant, None
    cause = "what can: exp-3, export-2, export-2:gguf-q8_0, deployment-5"
    raise StageError(InvalidRequest(), f"{subject} has no passport", cause=cause)


def _links(
    experiment: Experiment, export: Export | None, variant: str | None, version: DeploymentVersion | None, session: Session
) -> Iterator[Link]:
    folder = project_folder(experiment.project_id)
    yield _base(experiment)
    manifest = session.get_one(DataManifest, experiment.manifest_id)
    yield _data(folder / manifest.path, manifest)
    weights = trained_weights(folder / experiment.adapter_path)
    yield _file("adapter", experiment.run_id, weights, experiment.adapter_sha256)
    if export is not None:
        bundle = folder / export.path
        own = _file("bundle", f"{export.run_id}, manifest.json", bundle / "manifest.json", export.manifest_sha256)
        yield own
        if own.holds:
            yield from _bundle(bundle, export, variant, experiment, manifest)
            if version is not None:
                yield _deployment(bundle, export, version)


def _base(experiment: Experiment) -> Link:
    name = experiment.base_model

    def compute() -> str:
        info = base_model(name)
        return sha256(info.gguf) if info.gguf is not None else info.sha256

    return _computed("base", name, experiment.base_sha256, compute)


def _data(path: Path, manifest: DataManifest) -> Link:
    def compute() -> str:
        return PreparedData(path, manifest.sha256).sha256  # it verifies every file of the version

    return _computed("manifest", f"v{manifest.version}", manifest.sha256, compute)


def _bundle(bundle: Path, export: Export, variant: str | None, experiment: Experiment, manifest: DataManifest) -> Iterator[Link]:
    """What the bundle says that it was made of, the merged weights, and each file in it."""
    written = read_json(bundle / "manifest.json")
    for name, said, true in (
        ("base", written["base_model"]["sha256"], experiment.base_sha256),
        ("data manifest", written["data_manifest"]["sha256"], manifest.sha256),
        ("adapter", written["adapter_sha256"], experiment.adapter_sha256),
    ):
        if said != true:
            cause = NAMES_ANOTHER.format(name)
            yield Link(link="bundle", name=export.run_id, expected_sha256=true, found_sha256=said, cause=cause)
    files: dict[str, str] = written.get("files", {})
    weights = {one["format"]: one["weights"] for one in written["artifacts"]}
    if merged := written.get("merged_sha256"):
        kept = next((weights[name] for name in ("hf", "safetensors-merged") if name in weights), None)
        if kept is not None:
            yield _file("merged", f"{export.run_id}, {kept}", bundle / kept, merged)
    chosen = {name: one for name, one in export.artifacts.items() if variant in (None, name)}
    for name, artifact in chosen.items():
        yield _file("file", f"{export.run_id}:{name}", bundle / artifact["weights"], artifact["sha256"])
    for path, digest in files.items():
        of = path.partition("/")[0]
        if (variant is None or of not in weights or of == variant) and path not in weights.values():
            yield _file("file", f"{export.run_id}, {path}", confined(bundle, path), digest)


def _deployment(bundle: Path, export: Export, version: DeploymentVersion) -> Link:
    """The file that its model server reads."""
    name = f"deployment-{version.id} ({version.slot} v{version.version})"
    artifact = export.artifacts.get(version.variant)
    if artifact is None:
        return Link(
            link="deployment", name=name, expected_sha256="", found_sha256="", cause=f"its export has no {version.variant}"
        )
    return _file("deployment", name, bundle / artifact["weights"], artifact["sha256"])


def _file(link: LinkName, name: str, path: Path, expected: str) -> Link:
    return _computed(link, name, expected, lambda: sha256(path))


def _computed(link: LinkName, name: str, expected: str, compute: Callable[[], str]) -> Link:
    found, cause = "", ""
    try:
        found = compute()
    except FileNotFoundError:
        cause = "it is missing"
    except (OSError, StageError) as error:
        cause = (error.cause or error.what) if isinstance(error, StageError) else f"it can't be read: {error.strerror}"
    if found and found != expected:
        cause = "its SHA-256 is another"
    return Link(link=link, name=name, expected_sha256=expected, found_sha256=found, cause=cause)
