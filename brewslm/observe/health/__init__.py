"""The data health report: what is wrong with a project's data, where, and what to do. It only reads."""

from pydantic import BaseModel

from brewslm.observe.health.cleaning import cleaning
from brewslm.observe.health.facts import health_facts
from brewslm.observe.health.limits import Finding, Severity, limits
from brewslm.observe.health.rows import ingestion, mapping, prepared, shape

__all__ = ["Finding", "HealthReport", "Severity", "data_health"]


class HealthReport(BaseModel):
    """A project's findings, in the order of the stages.

    Attributes:
        severity: The worst of them; "ok" where there is none.
    """

    project: int
    severity: Severity
    findings: list[Finding]


def data_health(project: int) -> HealthReport:
    """Judge what is there now: a stage that has not run has no findings.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(ManifestMismatch): A file of the manifest in use was changed.
    """
    facts, limit = health_facts(project), limits()
    findings = [one for group in (ingestion, mapping, cleaning, shape, prepared) for one in group(facts, limit)]
    return HealthReport(project=project, severity=max((one.severity for one in findings), default=Severity.OK), findings=findings)
