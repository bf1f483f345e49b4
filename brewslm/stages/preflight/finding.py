"""What a check of preflight says."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """One thing that a check found.

    Attributes:
        severity: A blocker stops training; a warning does not.
        fatal: Not even fail-open mode can train: there is nothing to train on or with.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Literal["blocker", "warning"]
    measured: str
    limit: str
    next_step: str
    fatal: bool = False
