"""Reason codes: one class each, in a file per stage."""

from brewslm.reasons import academy, cleaning, deployment, eval, export, ingestion, prepare, refusals, support, system, training
from brewslm.reasons.base import REGISTRY, AnyReason, FailedRun, Reason, Refusal, Severity, Stage, is_event

__all__ = [
    "REGISTRY",
    "AnyReason",
    "FailedRun",
    "Reason",
    "Refusal",
    "Severity",
    "Stage",
    "academy",
    "cleaning",
    "deployment",
    "eval",
    "export",
    "ingestion",
    "is_event",
    "prepare",
    "refusals",
    "support",
    "system",
    "training",
]
