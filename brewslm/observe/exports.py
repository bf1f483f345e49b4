"""Read-only views of export bundles: what is in each, by which rows it was checked, and those that could not be made."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.tasks import run_view
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import NotExported, UnknownRun
from brewslm.stages.export.job import Artifact
from brewslm.store.database import reading
from brewslm.store.files import confined, project_folder, read_json
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, Export, Run

OPERATION = "export.run"
PAGE = 20


class ExportView(BaseModel):
    """An export, whether it ended well or not.

    Attributes:
        artifacts: Variant → what was made of it, in the order in which they were made; {} of one that did not end well.
        deployments: The id of each version of it → its name, such as "default v2".
        compared: Its variants were measured: see `observe.compression`.
    """

    id: str
    project: int
    experiment: str
    task: RunView
    created_at: datetime
    artifacts: dict[str, Artifact]
    deployments: dict[int, str]
    compared: bool = False


class BundleFile(BaseModel):
    """A file of a bundle.

    Attributes:
        path: From the bundle's folder on.
        sha256: As it was written down; "" of the manifest itself, which names the others.
        size_bytes: None where it is not there any more.
    """

    path: str
    sha256: str
    size_bytes: int | None


class SmokeVariant(BaseModel):
    """How a variant agreed with the trained model; see `stages/export/smoke.py`.

    Attributes:
        top1: Share of tokens, each asked for after the trained model's own, or of rows where it writes none; at least `least`.
        kl: KL(trained ‖ this) a token, in nats; None where its runtime tells no distribution.
        flips: Tokens that were another.
        stopped, answered: Answers that it ended by itself, of those it wrote freely.
    """

    checked_as: str
    top1: float
    least: float
    tokens: int
    kl: float | None
    flips: int
    stopped: int
    answered: int


class SmokeRow(BaseModel):
    """A held-out row that was asked, and what each variant wrote; rows themselves stand in their passports.

    Attributes:
        trained: The trained model's answer.
        answers: Variant, as it was checked → its answer; only of rows that it answered freely.
    """

    row_id: str
    trained: str
    answers: dict[str, str]


class BundleView(ExportView):
    """With its files and its smoke-check trace.

    Attributes:
        path: Of the bundle, from the project's folder on; "" of one that did not end well.
        missing: Why its files can't be listed; "" where they can.
    """

    path: str = ""
    manifest_sha256: str = ""
    missing: str = ""
    files: list[BundleFile] = []
    smoke: dict[str, SmokeVariant] = {}
    asked: list[SmokeRow] = []


def exports(project: int, before: int | None = None, limit: int | None = None) -> list[ExportView]:
    """The project's exports, newest first, those that failed or still run among them.

    Args:
        before: Only those with a smaller number: of export-7 it is 7.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(Run).where(Run.project_id == project, Run.operation == OPERATION).order_by(Run.number.desc()).limit(limit)
    if before is not None:
        query = query.where(Run.number < before)
    with reading() as session:
        project_of(session, project)
        return [ExportView(**_fields(run, session)) for run in session.scalars(query).all()]


def bundle(export_id: str) -> BundleView:
    """One export with its files.

    Raises:
        StageError(UnknownRun): There is no such export.
    """
    with reading() as session:
        run, made = _found(session, export_id)
        fields = _fields(run, session)
    if made is None:
        return BundleView(**fields)
    folder = project_folder(made.project_id) / made.path
    kept = {"path": made.path, "manifest_sha256": made.manifest_sha256}
    try:
        manifest, trace = (read_json(folder / name) for name in ("manifest.json", "smoke-trace.json"))
    except (OSError, ValueError) as error:
        return BundleView(**fields, **kept, missing=f"its files can't be read: {type(error).__name__}")
    files = [_file(folder, path, digest) for path, digest in manifest.get("files", {}).items()]
    return BundleView(
        **fields, **kept, files=[_file(folder, "manifest.json", made.manifest_sha256), *files], smoke=_smoke(trace),
        asked=_asked(trace),
    )  # fmt: skip


def bundle_file(export_id: str, path: str) -> Path:
    """Where a file of a bundle is.

    Raises:
        StageError(UnknownRun): There is no such export.
        StageError(NotExported): It did not end well, or no file of this path is in its bundle.
    """
    with reading() as session:
        _, made = _found(session, export_id)
    known = [one.path for one in bundle(export_id).files if one.size_bytes is not None]
    if made is None or path not in known:
        cause = "it has no such file" if made else "it did not end well"
        raise StageError(NotExported(), "This file can't be had", where=f"{export_id}, {path[:200]}", cause=cause)
    return confined(project_folder(made.project_id) / made.path, path)


def _found(session: Session, export_id: str) -> tuple[Run, Export | None]:
    run = session.get(Run, export_id)
    if run is None or run.operation != OPERATION:
        raise StageError(UnknownRun(), where=export_id[:80], cause="no export has this id")
    return run, session.get(Export, export_id)


def _fields(run: Run, session: Session) -> dict[str, Any]:
    made = session.get(Export, run.id)
    versions = select(DeploymentVersion).where(DeploymentVersion.export_id == run.id).order_by(DeploymentVersion.id)
    return {
        "id": run.id, "project": run.project_id, "experiment": run.request.get("experiment", made.experiment_id if made else ""),
        "task": run_view(run), "created_at": run.created_at,
        "artifacts": made.artifacts if made else {}, "compared": bool(made and made.comparison),
        "deployments": {one.id: f"{one.slot} v{one.version}" for one in session.scalars(versions)},
    }  # fmt: skip


def _file(folder: Path, path: str, digest: str) -> BundleFile:
    place = confined(folder, path)
    return BundleFile(path=path, sha256=digest, size_bytes=place.stat().st_size if place.is_file() else None)


def _smoke(trace: dict[str, Any]) -> dict[str, SmokeVariant]:
    found = {}
    for name, one in trace.get("agreement", {}).items():
        answers, tokens = one.get("answers") or [], one.get("tokens", one.get("rows", 0))
        found[name] = SmokeVariant(
            checked_as=name, top1=one["top1"] if "top1" in one else one["same"] / max(1, tokens), least=one["least"],
            tokens=tokens, kl=one.get("kl"), flips=len(one.get("flips", [])), answered=len(answers),
            stopped=sum(bool(answer["stopped"]) for answer in answers),
        )  # fmt: skip
    return found


def _asked(trace: dict[str, Any]) -> list[SmokeRow]:
    """Of a model that writes: each prompt; of another, each row with what it said."""
    if "prompts" not in trace:
        return [SmokeRow(row_id=one["row_id"], trained=str(one["output"]), answers={}) for one in trace.get("answers", [])]
    said: dict[int, dict[str, str]] = {}
    for name, one in trace["agreement"].items():
        for answer in one.get("answers") or []:
            said.setdefault(answer["prompt"], {})[name] = answer["text"]
    return [
        SmokeRow(row_id=one["row_id"], trained=one["answer"], answers=said.get(place, {}))
        for place, one in enumerate(trace["prompts"])
    ]
