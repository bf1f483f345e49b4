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


def blocker(code: str, measured: str, limit: str, next_step: str, *, fatal: bool = False) -> Finding:
    """A finding that stops training."""
    return Finding(code=code, severity="blocker", measured=measured, limit=limit, next_step=next_step, fatal=fatal)


def warning(code: str, measured: str, limit: str, next_step: str) -> Finding:
    """A finding that training goes on with."""
    return Finding(code=code, severity="warning", measured=measured, limit=limit, next_step=next_step)


def gigabytes(size: float) -> str:
    """Such as "4.3 GB"."""
    return f"{size / 2**30:.1f} GB"
