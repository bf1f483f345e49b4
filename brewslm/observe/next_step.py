"""The next best step of a project, with its reason."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel

from brewslm.observe.facts import Facts, only_tried
from brewslm.observe.figures import counted

What = Literal[
    "mend", "wait", "drift", "import", "prepare", "train", "evaluate", "export", "deploy", "promote", "serve", "ask",
]  # fmt: skip


class NextStep(BaseModel):
    """One thing to do, why, and the stage that it belongs to.

    Attributes:
        what: The rule that found it, by which a page knows where it is done.
        run: The run that it is about; None where it is about none.
    """

    stage: str
    what: What
    command: str
    reason: str
    run: str | None = None


def next_step(facts: Facts) -> NextStep:
    """The first rule that applies, in the order of the stages; a cut-off or failed run goes before all."""
    return next(step for rule in _RULES if (step := rule(facts)) is not None)


def _mend(facts: Facts) -> NextStep | None:
    for stage, run in facts.newest.items():
        if run.state == "interrupted":
            command = f"brewslm {'train --resume' if stage == 'train' else 'task resume'} {run.task_id}"
            return NextStep(stage=stage, what="mend", command=command, reason=f"{run.task_id} was cut off", run=run.task_id)
        if run.state == "failed":
            advice = (run.problem or {}).get("next_step") or f"brewslm task show {run.task_id}"
            reason = f"{run.task_id} failed: {(run.problem or {}).get('code')}"
            return NextStep(stage=stage, what="mend", command=advice, reason=reason, run=run.task_id)
    return None


def _wait(facts: Facts) -> NextStep | None:
    for stage, run in facts.newest.items():
        if run.state in ("running", "queued"):
            command = f"brewslm task show {run.task_id}"
            return NextStep(stage=stage, what="wait", command=command, reason=f"{run.task_id} is {run.state}", run=run.task_id)
    return None


def _drift(facts: Facts) -> NextStep | None:
    if not facts.drifted:
        return None
    worse = facts.drifted[0]
    command = f"brewslm deploy checks --project {facts.project} --deployment {worse.id}"
    reason = f"{worse.slot} v{worse.version} answers worse than when it was promoted"
    return NextStep(stage="deploy", what="drift", command=command, reason=reason)


def _import(facts: Facts) -> NextStep | None:
    if facts.rows:
        return None
    command = f"brewslm map --project {facts.project} --locator LOCATOR --auto --commit"
    return NextStep(stage="map_commit", what="import", command=command, reason="the project has no rows yet")


def _prepare(facts: Facts) -> NextStep | None:
    reason = f"{counted(facts.rows, 'row')} wait to be split" if facts.manifest is None else ""
    ended = facts.import_run.ended_at if facts.import_run else None
    if facts.manifest is not None and ended is not None and ended > facts.manifest.created_at:
        reason = f"rows were added after v{facts.manifest.version} was frozen"
    if not reason:
        return None
    return NextStep(stage="prepare", what="prepare", command=f"brewslm prepare --project {facts.project}", reason=reason)


def _train(facts: Facts) -> NextStep | None:
    assert facts.manifest is not None
    if facts.experiment is not None and facts.experiment.manifest_id == facts.manifest.id:
        return None
    reason = f"no experiment was trained on v{facts.manifest.version}"
    return NextStep(stage="train", what="train", command=f"brewslm train --project {facts.project}", reason=reason)


def _evaluate(facts: Facts) -> NextStep | None:
    assert facts.experiment is not None
    experiment = facts.experiment.run_id
    measure = f"brewslm evaluate --experiment {experiment}"
    if facts.evaluation is None:
        return NextStep(stage="evaluate", what="evaluate", command=measure, reason=f"{experiment} was not measured yet")
    if only_tried(facts.evaluation):
        reason = f"{experiment} passed a pack that promotes nothing"
        return NextStep(stage="evaluate", what="evaluate", command=measure, reason=reason)
    if not facts.evaluation.promotable:
        command = f"brewslm train --project {facts.project}"
        reason = f"{experiment} did not meet the gates of its eval pack"
        return NextStep(stage="train", what="train", command=command, reason=reason)
    return None


def _export(facts: Facts) -> NextStep | None:
    assert facts.experiment is not None
    if facts.export is not None:
        return None
    experiment = facts.experiment.run_id
    command = f"brewslm export --experiment {experiment}"
    return NextStep(stage="export", what="export", command=command, reason=f"{experiment} is promotable and has no artifact yet")


def _deploy(facts: Facts) -> NextStep | None:
    assert facts.export is not None
    own = [version for version in facts.versions if version.export_id == facts.export.run_id]
    if not own:
        command = f"brewslm deploy create --export {facts.export.run_id}"
        return NextStep(stage="deploy", what="deploy", command=command, reason=f"{facts.export.run_id} serves nowhere yet")
    if own[0].state == "pending":
        command = f"brewslm deploy promote {own[0].id}"
        reason = f"version v{own[0].version} of {own[0].slot} is pending"
        return NextStep(stage="deploy", what="promote", command=command, reason=reason)
    return None


def _ask(facts: Facts) -> NextStep:
    slot = next(iter(facts.slots), None)
    if slot is None:
        return NextStep(stage="deploy", what="serve", command="brewslm deploy list", reason="no version is promoted")
    command = f'brewslm predict --deployment {slot} "…"'
    return NextStep(stage="deploy", what="ask", command=command, reason=f"{slot} is served: ask it")


_RULES: tuple[Callable[[Facts], NextStep | None], ...] = (
    _mend, _wait, _drift, _import, _prepare, _train, _evaluate, _export, _deploy, _ask,
)  # fmt: skip
