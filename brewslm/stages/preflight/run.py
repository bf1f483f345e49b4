"""The checks, one after another."""

from collections.abc import Iterator
from typing import Any

from brewslm.handlers import handler_for
from brewslm.models.loading import load_tokenizer
from brewslm.models.memory import Base, Method
from brewslm.models.recipe import Recipe
from brewslm.models.shape import ModelShape, shape_of
from brewslm.processes.context import Context
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import PlanName
from brewslm.stages.preflight.data import Tokenised, check_gates, check_objective, check_rows, check_task, tokenised_rows
from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.job import PreflightJob, PreflightResult
from brewslm.stages.preflight.machine import check_dependencies, check_disk, check_memory, check_toolchains
from brewslm.stages.preflight.model import check_architecture, check_exports, check_softcap, check_tokenizer, check_window
from brewslm.stages.preflight.other import encoded_rows, plan_of, trained_weights
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
    if job.base.architecture != "causal":
        return _other(job, data, findings, context)
    shape, tokenizer = shape_of(job.base.folder), load_tokenizer(job.base.folder)
    findings += _of_model(job, data, shape, tokenizer)
    if any(finding.fatal for finding in findings):
        return PreflightResult(passed=False, findings=findings, plan=None)
    rows = tokenised_rows(job, data, tokenizer, context)
    findings += check_rows([one.longest for one in rows.examples], rows.rejected, job.recipe.max_length)
    planner = _planner(job, data, rows)
    trained_on = planner.rows(job.recipe)
    findings += check_window(job.base, shape, trained_on)
    plan = planner.plan(job.recipe) if trained_on else None
    if plan:
        findings += check_memory(plan)
        findings += check_disk(job.folder, job.recipe, _trained_weights(job.recipe, shape), job.base.parameters, job.formats)
    blocked = any(finding.severity == "blocker" for finding in findings)
    plans = offers(planner, job.recipe) if plan else []
    return PreflightResult(passed=not blocked, findings=findings, plan=plan, plans=plans)


def _other(job: PreflightJob, data: PreparedData, findings: list[Finding], context: Context) -> PreflightResult:
    """The checks that are left of a model that is not causal. Its plan is the recipe as it is."""
    findings = [*findings, *check_exports(job.base, job.formats, job.formats_asked)]
    rows, rejected = encoded_rows(job, data, context)
    findings += check_rows([one.tokens for one in rows], rejected, job.recipe.max_length)
    kept = [one for one in rows if one.tokens <= job.recipe.max_length]
    plan = plan_of(job, kept) if kept else None
    if plan:
        findings += check_memory(plan)
        findings += check_disk(job.folder, job.recipe, trained_weights(job), job.base.parameters, job.formats)
    return PreflightResult(passed=not any(one.severity == "blocker" for one in findings), findings=findings, plan=plan)


def _trained_weights(recipe: Recipe, shape: ModelShape) -> int:
    method = Method(name=recipe.method, rank=recipe.lora_r, top_layers=recipe.lora_top_layers, bf16=False)
    return method.trained_weights(shape)


def planned_recipe(job: PreflightJob, name: PlanName, context: Context) -> Recipe:
    """The recipe of a plan, as `run` offers it; the job's own where there is nothing to plan with, which `run` then says.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    if job.base.architecture != "causal" or any(finding.fatal for finding in _before_rows(job, data)):
        return job.recipe
    shape, tokenizer = shape_of(job.base.folder), load_tokenizer(job.base.folder)
    if any(finding.fatal for finding in _of_model(job, data, shape, tokenizer)):
        return job.recipe
    planner = _planner(job, data, tokenised_rows(job, data, tokenizer, context))
    return PLANS[name](planner, job.recipe).recipe if planner.rows(job.recipe) else job.recipe


def _before_rows(job: PreflightJob, data: PreparedData) -> Iterator[Finding]:
    yield from check_dependencies(job.recipe, job.formats)
    yield from check_toolchains(job.formats)
    yield from check_task(data.manifest)
    yield from check_objective(data.manifest, job.recipe)
    yield from check_architecture(job.base, data.manifest)
    yield from check_tokenizer(job.base, data.manifest)
    yield from check_gates(data, job.eval_pack)


def _of_model(job: PreflightJob, data: PreparedData, shape: ModelShape, tokenizer: Any) -> Iterator[Finding]:
    yield from check_softcap(job.base, shape)
    yield from check_exports(job.base, job.formats, job.formats_asked)
    handler, first = handler_for(data.manifest.task_profile, data.manifest.output_schema), next(data.rows("train"), None)
    yield from check_template(tokenizer, handler, first) if first else ()


def _planner(job: PreflightJob, data: PreparedData, rows: Tokenised) -> Planner:
    has_dev = data.manifest.rows.get("dev", 0) > 0
    return Planner(job.base, Base.of(job.base.folder, job.base.parameters), job.runtime, rows.examples, job.last, has_dev)
