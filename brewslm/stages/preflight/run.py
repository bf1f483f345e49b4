"""The checks, one after another."""

from brewslm.processes.context import Context
from brewslm.rows.manifest import PreparedData
from brewslm.stages.preflight.data import check_gates, check_task, tokenised_rows
from brewslm.stages.preflight.job import PreflightJob, PreflightResult
from brewslm.stages.preflight.machine import check_dependencies, check_memory
from brewslm.stages.preflight.model import check_architecture, check_tokenizer
from brewslm.stages.preflight.plan import train_plan


def run(job: PreflightJob, context: Context) -> PreflightResult:
    """Every check; a later one that needs what an earlier one missed is left out.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    findings = [
        *check_dependencies(),
        *check_task(data.manifest),
        *check_architecture(job.base),
        *check_tokenizer(job.base, data.manifest),
        *check_gates(data.manifest, job.eval_pack),
    ]
    if any(finding.fatal for finding in findings):
        return PreflightResult(passed=False, findings=findings, plan=None)
    examples, more = tokenised_rows(job, data, context)
    findings += more
    plan = train_plan(job.base, job.recipe, job.runtime, examples) if examples else None
    findings += check_memory(plan) if plan else []
    blocked = any(finding.severity == "blocker" for finding in findings)
    return PreflightResult(passed=not blocked, findings=findings, plan=plan)
