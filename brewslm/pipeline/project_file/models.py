"""The parts of a project file from preflight to the slots."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.pipeline.project_file.now import Look, Now, flat, held, job_of
from brewslm.pipeline.project_file.schema import Slot
from brewslm.reasons.refusals import NotExported, NotTrained
from brewslm.serving.targets import target_of
from brewslm.stages import evaluate, export, train
from brewslm.stages.deploy.changes import checked_settings
from brewslm.store import tables


def preflighted(now: Now) -> Iterator[Look]:
    """The checks before training: of no use where it is trained already."""
    if now.file.preflight is None:
        return
    trained = next(trains(now), None)
    if trained is not None and trained.done:
        yield Look("preflight.run", request=now.file.preflight, done=True, run=trained.run, why="it is trained already")
        return
    if trained is not None and trained.error is not None:
        yield Look("preflight.run", error=trained.error)
        return
    try:
        manifest = now.records.manifest()
    except StageError as error:
        yield Look("preflight.run", error=error)
        return
    shared = _of_training(now, manifest.version)
    if now.file.train is not None:
        shared |= now.file.train.model_dump(include={"base_model", "recipe", "settings"})
    request = now.file.preflight.model_copy(update=shared)
    inputs = flat(request.model_dump(mode="json"))
    passed = now.newest_run("preflight.run", **request.model_dump(mode="json"))
    if passed is not None and (passed.result or {}).get("passed"):
        yield Look("preflight.run", request=request, inputs=inputs, done=True, run=passed.id, why="asked the same, and passed")
    else:
        yield Look("preflight.run", request=request, inputs=inputs, why="not passed yet")


def _of_training(now: Now, version: int) -> dict[str, Any]:
    """What preflight and training are told by other parts of the file."""
    pack = now.file.evaluate.eval_pack if now.file.evaluate else DEFAULT_PACK
    formats = now.file.export.formats if now.file.export else None
    return {"project": now.project, "manifest_version": version, "eval_pack": pack, "export_formats": formats}


def trains(now: Now) -> Iterator[Look]:
    """The newest experiment: by its base model, its data manifest, and every number of its recipe."""
    if now.file.train is None:
        return
    try:
        version = now.records.manifest().version
        request = now.file.train.model_copy(update=_of_training(now, version))
        job = train.resolve(request, now.records).model_dump(mode="json")
    except StageError as error:
        yield Look("train.run", error=error)
        return
    newest = now.experiment()
    then_job = job_of(newest.run_id) if newest else {}
    then = _of_train(then_job.get("train", {}), then_job.get("plan"), retried=bool(then_job.get("retries")))
    inputs = _of_train(job, request.plan, retried=bool(then_job.get("retries")))
    if request.plan is not None:  # the plan changes the recipe by what it measures: what was asked is compared
        recipe = {name for name in {*then, *inputs} if name.startswith("recipe.")}
        was = now.session.get_one(tables.Run, newest.run_id).request if newest else {}
        then = {name: value for name, value in then.items() if name not in recipe} | flat({"settings": was.get("settings", {})})
        inputs = {name: value for name, value in inputs.items() if name not in recipe} | flat({"settings": request.settings})
    yield held("train.run", request, newest.run_id if newest else None, then, inputs, "nothing was trained yet")


def _of_train(job: dict[str, Any], plan: str | None, *, retried: bool) -> dict[str, Any]:
    """Of a run that was out of memory and retried with smaller passes, their size does not count: each step was the same."""
    made = {"base_model": job.get("base", {}).get("sha256"), "manifest": job.get("manifest_sha256"), "plan": plan}
    recipe = {name: value for name, value in job.get("recipe", {}).items() if not (retried and name == "pack_tokens")}
    return made | flat({"recipe": recipe})


def evaluates(now: Now) -> Iterator[Look]:
    """The scorecard of the newest experiment: by the pack's gates, the rows and the judge."""
    if now.file.evaluate is None:
        return
    try:
        experiment = _experiment(now)
        request = now.file.evaluate.model_copy(update={"experiment": experiment})
        inputs = _of_evaluate(evaluate.resolve(request, now.records).model_dump(mode="json"))
    except StageError as error:
        yield Look("evaluate.run", error=error)
        return
    run = now.newest_run("evaluate.run", experiment=experiment, target=None)
    then = _of_evaluate(job_of(run.id)) if run else {}
    yield held("evaluate.run", request, run.id if run else None, then, inputs, f"{experiment} was not measured yet")


def _of_evaluate(job: dict[str, Any]) -> dict[str, Any]:
    gold = job.get("gold") or {}
    names = ("experiment_id", "adapter_sha256", "manifest_sha256", "pack", "judge")
    return {name: job.get(name) for name in names} | {"gold_set": gold.get("sha256")}


def exports(now: Now) -> Iterator[Look]:
    """The newest export of the newest experiment: by its weights, and the formats."""
    if now.file.export is None:
        return
    try:
        experiment = _experiment(now)
        request = now.file.export.model_copy(update={"experiment": experiment})
        inputs = _of_export(export.resolve(request, now.records).model_dump(mode="json"))
    except StageError as error:
        yield Look("export.run", error=error)
        return
    run = now.newest_run("export.run", experiment=experiment)
    then = _of_export(job_of(run.id)) if run else {}
    yield held("export.run", request, run.id if run else None, then, inputs, f"{experiment} was not exported yet")


def _of_export(job: dict[str, Any]) -> dict[str, Any]:
    names = ("experiment_id", "adapter_sha256", "base_sha256")
    return {name: job.get(name) for name in names} | {"formats": ", ".join(job.get("formats", ()))}


def _experiment(now: Now) -> str:
    found = now.experiment()
    if found is None:
        raise StageError(NotTrained(), where=f"project {now.project}", cause="no experiment was trained")
    return found.run_id


def versions(now: Now) -> Iterator[Look]:
    """For each slot, a version of the newest export; whether it answers, a person says by promoting it."""
    for slot in now.file.deploy:
        yield _version(now, slot)


def _version(now: Now, slot: Slot) -> Look:
    try:
        exported = now.newest_run("export.run", experiment=_experiment(now))
        if exported is None:
            raise StageError(NotExported(), where=f"project {now.project}", cause="the newest experiment has no export")
        settings = checked_settings(target_of(slot.create.target), slot.create.settings)
    except StageError as error:
        return Look("deploy.create", slot.name, error=error)
    request = slot.create.model_copy(update={"export": exported.id})
    table = tables.DeploymentVersion
    query = select(table).where(table.project_id == now.project, table.slot == slot.name).order_by(table.version.desc())
    newest = now.session.scalars(query).first()
    inputs = flat({"export": exported.id, "target": slot.create.target, "settings": settings, "variant": slot.create.variant})
    if newest is None:
        return Look("deploy.create", slot.name, request=request, inputs=inputs, why="the slot has no version")
    variant = newest.variant if slot.create.variant else None
    then = flat({"export": newest.export_id, "target": newest.target, "settings": newest.settings, "variant": variant})
    look = held("deploy.create", request, f"v{newest.version}", then, inputs, "")
    promote = f": brewslm deploy promote {newest.id}" if newest.state == "pending" else ""
    why = f"v{newest.version} is {newest.state}{promote}" if look.done else look.why
    return Look("deploy.create", slot.name, request=request, inputs=inputs, done=look.done, why=why)


def gateways(now: Now) -> Iterator[Look]:
    """How each slot's gateway behaves."""
    for slot in now.file.deploy:
        if slot.settings is not None:
            request = slot.settings.model_copy(update={"project": now.project, "slot": slot.name})
            row = now.session.get(tables.SlotSetting, (now.project, slot.name))
            has = {name: value for name, value in (row.values if row else {}).items() if name in request.given()}
            yield _set("deploy.settings", slot.name, request, has, request.given())


def schedules(now: Now) -> Iterator[Look]:
    """When each slot is checked for drift."""
    for slot in now.file.deploy:
        if slot.schedule is not None:
            request = slot.schedule.model_copy(update={"project": now.project, "slot": slot.name})
            table = tables.DriftSchedule
            row = now.session.scalar(select(table).where(table.project_id == now.project, table.slot == slot.name))
            wanted = request.model_dump(exclude={"project", "slot"})
            yield _set(
                "deploy.schedule", slot.name, request, {name: getattr(row, name) for name in wanted} if row else {}, wanted
            )


def _set(operation: str, slot: str, request: Any, has: dict[str, Any], wanted: dict[str, Any]) -> Look:
    look = held(operation, request, f"slot {slot}", has, wanted, "")
    why = look.why.removeprefix(f"since slot {slot}: ") if not look.done else "as set"
    return Look(operation, slot, request=request, inputs=wanted, done=look.done, why=why)
