"""The next best step of a project, with its reason."""

from collections.abc import Callable

from pydantic import BaseModel

from brewslm.observe.facts import Facts, only_tried
from brewslm.observe.figures import counted


class NextStep(BaseModel):
    """One thing to do, why, and the stage that it belongs to."""

    stage: str
    command: str
    reason: str


def next_step(facts: Facts) -> NextStep:
    """The first rule that applies, in the order of the stages; a cut-off or failed run goes before all."""
    return next(step for rule in _RULES if (step := rule(facts)) is not None)


def _mend(facts: Facts) -> NextStep | None:
    for stage, run in facts.newest.items():
        if run.state == "interrupted":
            command = f"brewslm {'train --resume' if stage == 'train' else 'task resume'} {run.task_id}"
            return NextStep(stage=stage, command=command, reason=f"{run.task_id} was cut off")
        if run.state == "failed":
            advice = (run.problem or {}).get("next_step") or f"brewslm task show {run.task_id}"
            return NextStep(stage=stage, command=advice, reason=f"{run.task_id} failed: {(run.problem or {}).get('code')}")
    return None


def _wait(facts: Facts) -> NextStep | None:
    for stage, run in facts.newest.items():
        if run.state in ("running", "queued"):
            return NextStep(stage=stage, command=f"brewslm task show {run.task_id}", reason=f"{run.task_id} is {run.state}")
    return None


def _drift(facts: Facts) -> NextStep | None:
    if not facts.drifted:
        return None
    worse = facts.drifted[0]
    command = f"brewslm deploy checks --project {facts.project} --deployment {worse.id}"
    reason = f"{worse.slot} v{worse.version} answers worse than when it was promoted"
    return NextStep(stage="deploy", command=command, reason=reason)


def _import(facts: Facts) -> NextStep | None:
    if facts.rows:
        return None
    command = f"brewslm map --project {facts.project} --locator LOCATOR --auto --commit"
    return NextStep(stage="map_commit", command=command, reason="the project has no rows yet")


def _prepare(facts: Facts) -> NextStep | None:
    command = f"brewslm prepare --project {facts.project}"
    if facts.manifest is None:
        return NextStep(stage="prepare", command=command, reason=f"{counted(facts.rows, 'row')} wait to be split")
    ended = facts.import_run.ended_at if facts.import_run else None
    if ended is not None and ended > facts.manifest.created_at:
        return NextStep(stage="prepare", command=command, reason=f"rows were added after v{facts.manifest.version} was frozen")
    return None


def _train(facts: Facts) -> NextStep | None:
    assert facts.manifest is not None
    if facts.experiment is not None and facts.experiment.manifest_id == facts.manifest.id:
        return None
    reason = f"no experiment was trained on v{facts.manifest.version}"
    return NextStep(stage="train", command=f"brewslm train --project {facts.project}", reason=reason)


def _evaluate(facts: Facts) -> NextStep | None:
    assert facts.experiment is not None
    experiment = facts.experiment.run_id
    if facts.evaluation is None:
        return NextStep(
            stage="evaluate", command=f"brewslm evaluate --experiment {experiment}", reason=f"{experiment} was not measured yet"
        )
    if only_tried(facts.evaluation):
        command = f"brewslm evaluate --experiment {experiment}"
        return NextStep(stage="evaluate", command=command, reason=f"{experiment} passed a pack that promotes nothing")
    if not facts.evaluation.promotable:
        command = f"brewslm train --project {facts.project}"
        return NextStep(stage="train", command=command, reason=f"{experiment} did not meet the gates of its eval pack")
    return None


def _export(facts: Facts) -> NextStep | None:
    assert facts.experiment is not None
    if facts.export is not None:
        return None
    experiment = facts.experiment.run_id
    command = f"brewslm export --experiment {experiment}"
    return NextStep(stage="export", command=command, reason=f"{experiment} is promotable and has no artifact yet")


def _deploy(facts: Facts) -> NextStep | None:
    assert facts.export is not None
    own = [version for version in facts.versions if version.export_id == facts.export.run_id]
    if not own:
        command = f"brewslm deploy create --export {facts.export.run_id}"
        return NextStep(stage="deploy", command=command, reason=f"{facts.export.run_id} serves nowhere yet")
    if own[0].state == "pending":
        command = f"brewslm deploy promote {own[0].id}"
        return NextStep(stage="deploy", command=command, reason=f"version v{own[0].version} of {own[0].slot} is pending")
    return None


def _ask(facts: Facts) -> NextStep:
    slot = next(iter(facts.slots), None)
    if slot is None:
        return NextStep(stage="deploy", command="brewslm deploy list", reason="no version is promoted")
    return NextStep(stage="deploy", command=f'brewslm predict --deployment {slot} "…"', reason=f"{slot} is served: ask it")


_RULES: tuple[Callable[[Facts], NextStep | None], ...] = (
    _mend, _wait, _drift, _import, _prepare, _train, _evaluate, _export, _deploy, _ask,
)  # fmt: skip
