"""evaluate.run: what is asked, what is frozen, what is left."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers import HANDLERS, handler_if_any
from brewslm.handlers.eval_pack import DEFAULT_PACK, EvalPack, load_eval_pack, misnamed
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.reasons import Reason
from brewslm.reasons.eval import EvalRuntimeError, EvaluationCompleted
from brewslm.reasons.refusals import EvalPackInvalid, InvalidRequest
from brewslm.reasons.shown import shown_locator
from brewslm.rows.gold import GoldFile
from brewslm.rows.identity import id_parts, row_id
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.contract import Job, Request, Result
from brewslm.stages.evaluate.judging import JudgeRequest, check_judge
from brewslm.stages.evaluate.scorecard import Scorecard
from brewslm.stages.evaluate.subject import Subject, TargetName, subject_of
from brewslm.store import tables
from brewslm.store.files import read_json
from brewslm.store.records import Records, experiment_of, locked_gold_set


class EvaluateRequest(Request):
    """Measure an experiment on its manifest's eval split, or in its place what was made of it.

    Attributes:
        eval_pack: A preset's name, or the path of a .yaml file.
        gold_set: Ask these rows instead of the eval split: a locked gold set, such as "support" (its newest) or "support@2".
        judge: A language model elsewhere that judges answers by the pack's rubric: rows are sent to it.
        target: What is measured, on the experiment's rows: see `subject.WORDS`; None for its own weights.
    """

    experiment: str
    eval_pack: str = DEFAULT_PACK
    gold_set: str | None = None
    judge: JudgeRequest | None = None
    target: TargetName = None


class EvaluateJob(Job):
    """An evaluation, frozen: the pack's gates are in it, so that a pack that is edited later changes no verdict.

    Attributes:
        subject: What is measured.
        adapter_sha256: Of the experiment's own weights, whatever is measured.
        sources: A row_id's source part → the source's name.
        output: The evaluation's folder; it appears when it is whole.
        gold: The locked gold set whose rows are asked; None for the manifest's eval split.
    """

    experiment_id: str
    base: BaseModelInfo
    base_sha256: str
    subject: Subject
    adapter_sha256: str
    manifest_path: Path
    manifest_sha256: str
    pack: EvalPack
    sources: dict[str, str] = {}
    output: Path
    gold: GoldFile | None = None
    judge: JudgeRequest | None = None


class EvaluateResult(Result):
    """A scorecard, and the folder that holds it with every prediction and `errors.json`.

    Attributes:
        path: Relative to the project's folder.
        error_clusters: How many clusters the tuned model's wrong rows make.
        slices_worse: On how many slices it does worse than on the rest.
    """

    experiment_id: str
    promotable: bool
    path: str
    scorecard: Scorecard
    error_clusters: int = 0
    slices_worse: int = 0


def project_of(request: EvaluateRequest, session: Session) -> int:
    """The experiment's project.

    Raises:
        StageError(UnknownRun, NotTrained): There is no trained experiment of this id.
    """
    return experiment_of(session, request.experiment).project_id


def resolve(request: EvaluateRequest, records: Records) -> EvaluateJob:
    """Freeze the experiment's parts and the eval pack.

    Raises:
        StageError(NotTrained): Its adapter, or checkpoint, is gone.
        StageError(NotExported, UnknownRun): There is no such target.
        StageError(EvalRuntimeError): The base model is not the one that it was trained on.
        StageError(EvalPackInvalid): The eval pack can't be used, or not for this manifest.
        StageError(InvalidRequest): The target can't be measured; the gold set is of another task; or there is a judge, and no
            rubric or no text for it.
        StageError(UnknownGoldSet): There is no such gold set, or it is not locked.
    """
    experiment = experiment_of(records.session, request.experiment)
    manifest = records.session.get_one(tables.DataManifest, experiment.manifest_id)
    pack = load_eval_pack(request.eval_pack)
    _must_fit(pack, manifest.task_profile, records.folder / manifest.path)
    check_judge(request.judge, pack.spec(manifest.task_profile).judge, HANDLERS[manifest.task_profile][0])
    subject = subject_of(request.target, experiment, manifest.task_profile, records)
    base = base_model(experiment.base_model)
    if base.sha256 != experiment.base_sha256:
        reason = EvalRuntimeError(experiment_id=experiment.run_id, error="the base model's hash differs")
        raise StageError(reason, where=base.locator, cause="it is not the base that this experiment was trained on")
    return EvaluateJob(
        experiment_id=experiment.run_id,
        base=base,
        base_sha256=experiment.base_sha256,
        subject=subject,
        adapter_sha256=experiment.adapter_sha256,
        manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256,
        pack=pack,
        sources=_sources(records),
        output=records.folder / "evaluations" / records.run_id,
        gold=gold_file(request.gold_set, records, manifest.task_profile),
        judge=request.judge,
    )


def _sources(records: Records) -> dict[str, str]:
    """By the file's name alone where no other source has it."""
    query = select(tables.Source).where(tables.Source.project_id == records.project_id).order_by(tables.Source.id)
    found = {id_parts(row_id(one.content_hash, 0))[0]: shown_locator(one.locator) for one in records.session.scalars(query)}
    names = Counter(locator.rpartition("/")[2] for locator in found.values())
    return {part: name if names[name := locator.rpartition("/")[2]] == 1 else locator for part, locator in found.items()}


def _must_fit(pack: EvalPack, task_profile: str, manifest_path: Path) -> None:
    """Refuse a pack whose gates name what this manifest's handler has not. A manifest that is broken, `run` tells of."""
    spec = pack.spec(task_profile)
    try:
        schema = OutputSchema.model_validate(read_json(manifest_path)["output_schema"])
    except (OSError, ValueError, KeyError):
        return
    handler = handler_if_any(task_profile, schema)
    for one in misnamed(spec, handler) if handler else ():
        raise StageError(EvalPackInvalid(), f"the eval pack {pack.pack_id} can't be used here", where=one.said, cause=one.cause)


def gold_file(label: str | None, records: Records, task_profile: str) -> GoldFile | None:
    """The locked gold set of this label, such as "support" (its newest) or "support@2"; None for None.

    Raises:
        StageError(UnknownGoldSet): There is no such gold set, or it is not locked.
        StageError(InvalidRequest): It is of another task.
    """
    if label is None:
        return None
    found = locked_gold_set(records.session, records.project_id, label)
    file = GoldFile(name=found.name, version=found.version, path=records.folder / (found.path or ""), sha256=found.sha256 or "")
    if found.task_profile != task_profile:
        cause = f"it holds {found.task_profile} rows, and the experiment was trained for {task_profile}"
        next_step = "See brewslm gold list for one of that task."
        raise StageError(InvalidRequest(), "the gold set can't be asked", where=file.label, cause=cause, next_step=next_step)
    return file


def record(result: EvaluateResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write the evaluation, and tell of it."""
    assert run.project_id is not None
    card = result.scorecard
    session.add(
        tables.Evaluation(
            run_id=run.id, project_id=run.project_id, experiment_id=card.experiment_id, eval_pack=card.eval_pack,
            scorecard=card.model_dump(mode="json"), promotable=card.promotable,
        )
    )  # fmt: skip
    tuned, base = card.primary("tuned"), card.primary("base")
    return [
        EvaluationCompleted(
            experiment_id=card.experiment_id,
            eval_pack=card.eval_pack,
            metric=card.primary_metric,
            n=card.n,
            tuned=tuned.value,
            tuned_interval=(tuned.low, tuned.high),
            base=base.value,
            base_interval=(base.low, base.high),
            gates_met=sum(gate.met for gate in card.gates),
            gates=len(card.gates),
            promotable=card.promotable,
            error_clusters=result.error_clusters,
            slices_worse=result.slices_worse,
        )
    ]
