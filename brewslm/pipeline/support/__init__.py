"""support.bundle: what somebody needs to see who shall help, and nothing that is not theirs to see."""

from brewslm.pipeline.support.bundle import (
    SupportBundleRequest,
    SupportJob,
    SupportResult,
    bundle_path,
    record,
    resolve,
    run,
)

__all__ = ["SupportBundleRequest", "SupportJob", "SupportResult", "bundle_path", "record", "resolve", "run"]
