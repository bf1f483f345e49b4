"""What promote and rollback share: make a version ready, ask it, and move the slot in one commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.prompt import Prompt
from brewslm.reasons.deployment import DeploymentSmokeFailed
from brewslm.reasons.refusals import DeploymentStateConflict
from brewslm.serving import Endpoint, ModelServerFailed, serve_model, wait_for
from brewslm.serving.endpoints import supervisor_runs, wanting
from brewslm.stages.contract import Job, Result
from brewslm.stages.deploy.changes import export_of
from brewslm.store.files import read_json, sha256
from brewslm.store.records import Records, experiment_of
from brewslm.store.tables import DataManifest, DeploymentVersion, Slot, now

READY_SECONDS = 60.0
PLACES = 12
"""Tokens of one answer that a live server is asked for: spread over it, the first and the end mark among them."""


class SwitchJob(Job):
    """A version that shall answer, frozen.

    Attributes:
        before: The version that the slot points to now; the slot is moved only if it still does.
        gguf: The file to serve, and its hash in the export.
        manifest: The data manifest that the model learnt from, and its hash.
    """

    version_id: int
    slot: str
    before: int | None
    model: str
    gguf: Path
    sha256: str
    smoke_trace: Path
    manifest: Path
    manifest_sha256: str


class SwitchResult(Result):
    """What the live smoke check found.

    Attributes:
        asked: Tokens that the live server was asked for.
        same: How many of them are those that the exported file said there.
    """

    version_id: int
    before_version_id: int | None
    asked: int
    same: int


def job_for(version: DeploymentVersion, records: Records) -> SwitchJob:
    """Freeze the file and the slot as they are now."""
    export = export_of(records.session, version.export_id)
    slot = records.session.get(Slot, (version.project_id, version.slot))
    bundle, artifact = records.folder / export.path, export.artifacts[version.variant]
    manifest = records.session.get_one(DataManifest, experiment_of(records.session, export.experiment_id).manifest_id)
    return SwitchJob(
        version_id=version.id, slot=version.slot, before=slot.version_id if slot else None,
        model=f"{version.slot}-v{version.version}", gguf=bundle / artifact["path"], sha256=artifact["sha256"],
        smoke_trace=bundle / "smoke-trace.json", manifest=records.folder / manifest.path, manifest_sha256=manifest.sha256,
    )  # fmt: skip


def made_ready(job: SwitchJob) -> SwitchResult:
    """Serve the version and ask it what the export asked of its file.

    With a supervisor in this home the server is the one that will go on serving, so that the switch has no gap.

    Raises:
        StageError(DeploymentSmokeFailed): The file was changed, the server does not start, or it answers otherwise.
    """
    found = sha256(job.gguf) if job.gguf.exists() else None
    if found != job.sha256:
        raise smoke_failed(job, "the exported file is missing" if found is None else "the exported file was changed")
    trace = read_json(job.smoke_trace)
    with _live(job) as endpoint:
        same = _same_tokens(job, endpoint, trace)
    if sum(same) < trace["live_least"] * len(same):
        raise smoke_failed(job, f"{sum(same)} of {len(same)} tokens are those of the exported file")
    return SwitchResult(version_id=job.version_id, before_version_id=job.before, asked=len(same), same=sum(same))


@contextmanager
def _live(job: SwitchJob) -> Iterator[Endpoint]:
    if supervisor_runs():
        with wanting(job.version_id):
            endpoint = wait_for(job.version_id, READY_SECONDS)
            if endpoint is None:
                raise smoke_failed(job, f"its model server was not ready after {READY_SECONDS:.0f} s")
            yield endpoint
        return
    try:
        with serve_model(job.gguf, job.model) as endpoint:
            yield endpoint
    except ModelServerFailed as error:
        raise smoke_failed(job, f"its model server did not start: {error}") from error


def _same_tokens(job: SwitchJob, endpoint: Endpoint, trace: dict[str, Any]) -> list[bool]:
    """Whether the server says what the exported file said, at places of the answers that the smoke check recorded.

    Each token is asked for after the recorded ones: left to itself, a quantised model soon parts from its own recorded words at a
    near-tie, for the server multiplies in another order (of the untuned base's 8 answers in Q8_0, 3 were the same word for word).

    Raises:
        StageError(DeploymentSmokeFailed): Its chat template or tokenizer is another, or it does not answer.
    """
    import openai

    agreed = trace["agreement"][job.gguf.parent.name]
    otherwise = {(flip["prompt"], flip["position"]): flip["found"] for flip in agreed["flips"]}
    live, same = EndpointPredictor(endpoint.base_url, endpoint.model), []
    try:
        for number in (answer["prompt"] for answer in agreed["answers"]):
            one = trace["prompts"][number]
            length = live.prompt_length(Prompt(tuple(one["messages"]), plain=""))
            if length != len(one["prompt_ids"]):
                raise smoke_failed(job, f"it makes {length} tokens of a prompt that training made {len(one['prompt_ids'])} of")
            for place in _spread(len(one["answer_ids"])):
                wanted = otherwise.get((number, place), one["expected"][place])
                same.append(live.next_token([*one["prompt_ids"], *one["answer_ids"][:place]]) == wanted)
    except openai.APIError as error:
        raise smoke_failed(job, f"its model server did not answer: {type(error).__name__}") from error
    return same


def _spread(length: int) -> list[int]:
    """At most `PLACES` places, evenly spaced, with both ends."""
    return sorted({round(step * (length - 1) / (PLACES - 1)) for step in range(PLACES)})


def move_slot(
    version: DeploymentVersion, result: SwitchResult, session: Session, leaves: Literal["superseded", "rolled_back"]
) -> DeploymentVersion | None:
    """Point the slot to the version; returns the one that it pointed to, in the state that it is left in.

    Raises:
        StageError(DeploymentStateConflict): The slot was moved by someone else meanwhile.
    """
    slot = session.get(Slot, (version.project_id, version.slot))
    if slot is None:
        slot = Slot(project_id=version.project_id, name=version.slot, version_id=None)
        session.add(slot)
    if slot.version_id != result.before_version_id:
        raise StageError(
            DeploymentStateConflict(), where=f"slot {version.slot}", cause="it was moved while this version was tried"
        )
    former = session.get(DeploymentVersion, slot.version_id) if slot.version_id else None
    if former:
        former.state, former.changed_at = leaves, now()
        session.flush()  # the database holds a slot to one promoted version
    slot.version_id = version.id
    version.state, version.changed_at = "promoted", now()
    version.smoke = {"asked": result.asked, "same": result.same}
    return former


def smoke_failed(job: SwitchJob, cause: str) -> StageError:
    """The version can't be made live; the slot stays where it is."""
    reason = DeploymentSmokeFailed(deployment_version_id=job.version_id, slot=job.slot, error=cause)
    return StageError(reason, f"{job.model} was not made live", cause=cause)
