"""The checks, one after another."""

from collections.abc import Iterator
from typing import Any

from brewslm.handlers import handler_for
from brewslm.models.loading import load_tokenizer
from brewslm.models.memory import Base
from brewslm.models.recipe import Recipe
from brewslm.models.shape import ModelShape, shape_of
from brewslm.processes.context import Context
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import PlanName
from brewslm.stages.preflight.data import Tokenised, check_gates, check_objective, check_rows, check_task, tokenised_rows
from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.job import PreflightJob, PreflightResult
from brewslm.stages.preflight.machine import check_dependencies, check_disk, check_memory
from brewslm.stages.preflight.model import check_architecture, check_exports, check_softcap, check_tokenizer, check_window
from brewslm.stages.preflight.plan import Planner
from brewslm.stages.preflight.plans import PLANS, offers
from brewslm.stages.preflight.template import check_template


def run(job: PreflightJob, context: Context) -> PreflightResult:
    """Every check; a later one that needs what an earlier one missed is left out.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    findings = [*_before_rows(job, data)]
    if any(finding.fatal for finding in findings):
        return PreflightResult(passed=False, findings=findings, plan=None)
    shape, tokenizer = shape_of(job.base.folder), load_tokenizer(job.base.folder)
    findings += _of_model(job, data, shape, tokenizer)
    if any(finding.fatal for finding in findings):
        return PreflightResult(passed=False, findings=findings, plan=None)
    rows = tokenised_rows(job, data, tokenizer, context)
    findings += check_rows(rows, job.recipe.max_length)
    planner = _planner(job, data, rows)
    trained_on = planner.rows(job.recipe)
    findings += check_window(job.base, shape, trained_on)
    plan = planner.plan(job.recipe) if trained_on else None
    if plan:
        findings += check_memory(plan)
        findings += check_disk(job.folder, job.recipe, shape, job.base.parameters, job.formats)
    blocked = any(finding.severity == "blocker" for finding in findings)
    plans = offers(planner, job.recipe) if plan else []
    return PreflightResult(passed=not blocked, findings=findings, plan=plan, plans=plans)


def planned_recipe(job: PreflightJob, name: PlanName, context: Context) -> Recipe:
    """The recipe of a plan, as `run` offers it; the job's own where there is nothing to plan with, which `run` then says.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    if any(finding.fatal for finding in _before_rows(job, data)):
        return job.recipe
    shape, tokenizer = shape_of(job.base.folder), load_tokenizer(job.base.folder)
    if any(finding.fatal for finding in _of_model(job, data, shape, tokenizer)):
        return job.recipe
    planner = _planner(job, data, tokenised_rows(job, data, tokenizer, context))
    return PLANS[name](planner, job.recipe).recipe if planner.rows(job.recipe) else job.recipe


def _before_rows(job: PreflightJob, data: PreparedData) -> Iterator[Finding]:
    yield from check_dependencies(job.recipe, job.formats)
    yield from check_task(data.manifest)
    yield from check_objective(data.manifest, job.recipe)
    yield from check_architecture(job.base)
    yield from check_tokenizer(job.base, data.manifest)
    yield from check_gates(data.manifest, job.eval_pack)


def _of_model(job: PreflightJob, data: PreparedData, shape: ModelShape, tokenizer: Any) -> Iterator[Finding]:
    yield from check_softcap(job.base, shape)
    yield from check_exports(job.base, job.formats, job.formats_asked)
    handler, first = handler_for(data.manifest.task_profile, data.manifest.output_schema), next(data.rows("train"), None)
    yield from check_template(tokenizer, handler, first) if first else ()


def _planner(job: PreflightJob, data: PreparedData, rows: Tokenised) -> Planner:
    has_dev = data.manifest.rows.get("dev", 0) > 0
    return Planner(job.base, Base.of(job.base.folder, job.base.parameters), job.runtime, rows.examples, job.last, has_dev)
