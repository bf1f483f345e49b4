"""What an address of the Evaluation page asks for: the evaluation, the tab, and what of it."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel

from brewslm.observe.evaluations import SYSTEM
from brewslm.web.query import Cursor, Heard, heard

Tab = Literal["scorecard", "rows", "errors", "compare", "all", "packs", "start"]
TABS: dict[str, Tab] = {
    "Scorecard": "scorecard",
    "Rows": "rows",
    "Errors and slices": "errors",
    "Compare": "compare",
    "All evaluations": "all",
    "Eval packs": "packs",
    "New evaluation": "start",
}


class Asked(BaseModel):
    """The query.

    Attributes:
        evaluation: The newest where none is named; against: others to compare it with, commas between.
        system: Whose answers; verdict, expected, output, cluster: which of them; start: from the n-th on.
        change: Of a comparison, only rows that were "fixed" or "broken".
        before: A page of evaluations with a smaller number.
        pack: The eval pack that is shown.
        experiment, target, gold_set: What a new evaluation is filled in with.
    """

    project: int
    tab: Tab = "scorecard"
    evaluation: str | None = None
    against: str | None = None
    system: str = SYSTEM
    verdict: Literal["right", "wrong", "unusable"] | None = None
    expected: str | None = None
    output: str | None = None
    cluster: str | None = None
    start: Cursor = 0
    change: Literal["fixed", "broken"] | None = None
    before: Cursor | None = None
    pack: str | None = None
    experiment: str | None = None
    target: str | None = None
    gold_set: str | None = None

    def address(self, tab: Tab, **more: Any) -> str:
        """Another tab of the same evaluation."""
        return self._written({"tab": tab, "evaluation": self.evaluation} | more)

    def turned(self, **changes: Any) -> str:
        """The same view with changes; from its first page, unless one is named."""
        return self._written(self.model_dump(exclude={"project", "start"}) | changes)

    def _written(self, values: Mapping[str, Any]) -> str:
        usual = {name: field.default for name, field in type(self).model_fields.items()}
        query = urlencode({name: str(value) for name, value in values.items() if value is not None and value != usual[name]})
        return f"/projects/{self.project}/evaluation" + (f"?{query}" if query else "")


def asked_for(project: int, query: Mapping[str, str]) -> Heard[Asked]:
    """The query of an address. Without a tab, it is the one that the rest speaks of."""
    known = {name: value for name, value in query.items() if value and name in Asked.model_fields and name != "project"}
    if "tab" not in known:
        known["tab"] = "compare" if "against" in known else "start" if "experiment" in known else "scorecard"
    return heard(Asked, known | {"project": str(project)})
