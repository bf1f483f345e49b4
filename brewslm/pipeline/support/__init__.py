"""support.bundle: what somebody needs to see who shall help, and nothing that is not theirs to see."""

from brewslm.pipeline.support.bundle import (
    MEGABYTES,
    NEVER,
    SupportBundleRequest,
    SupportJob,
    SupportResult,
    bundle_path,
    planned_logs,
    record,
    resolve,
    run,
)

__all__ = [
    "MEGABYTES",
    "NEVER",
    "SupportBundleRequest",
    "SupportJob",
    "SupportResult",
    "bundle_path",
    "planned_logs",
    "record",
    "resolve",
    "run",
]
