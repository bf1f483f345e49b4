"""What every operation's request and result have in common."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from brewslm.rows.ledger import Ledger

PlanName = Literal["safe", "balanced", "max_quality"]
"""The plans that preflight offers, and of which training may take one."""


class Request(BaseModel):
    """What a caller asks for. Unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectRequest(Request):
    """A request about one project."""

    project: int


class Job(BaseModel):
    """All that `run` needs, and the record for reproducing it: paths, hashes, parameters. It opens no table."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)


class Result(BaseModel):
    """What `run` leaves. It is kept with the run, and shown."""

    model_config = ConfigDict(frozen=True)

    ledger: Ledger | None = None

    def shown(self) -> dict[str, Any]:
        """As JSON values with stable keys."""
        return self.model_dump(mode="json")
