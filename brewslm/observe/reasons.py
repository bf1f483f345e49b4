"""Every reason code: `python -m brewslm.observe.reasons > docs/reasons.md` writes the page that is checked in."""

import sys
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from brewslm.reasons import REGISTRY, Stage, is_event
from brewslm.rows import RowReason

_PAGE = """# Reason codes

Made by `python -m brewslm.observe.reasons > docs/reasons.md`; `brewslm reasons` shows the same. The codes are stable.

## Of rows

Every row that does not go on stands in a rejected file with one of these. `brewslm map --drop` takes the same codes.

{rows}
## Of runs

Why something happened, failed or was refused: the `type` of a problem document, the code of an event.

{runs}"""


class ReasonView(BaseModel):
    """A reason code of a run (or of a refusal), or of a row: what it means, and what to do about it.

    Attributes:
        stage, severity: A run's alone.
        is_event: Whether it enters the event stream.
        fields: The payload's.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["run", "row"]
    code: str
    stage: str | None = None
    severity: str | None = None
    is_event: bool = False
    meaning: str
    remedy: str
    fields: list[str] = []


def every_reason() -> list[ReasonView]:
    """Those of runs in the order of the stages, then those of rows in the order in which a row meets them."""
    ordered = sorted(REGISTRY.values(), key=lambda reason: (list(Stage).index(reason.stage), reason.code))
    runs = [
        ReasonView(
            kind="run", code=one.code, stage=one.stage.value, severity=one.severity.value,
            is_event=is_event(one.model_construct()), meaning=one.meaning(), remedy=one.remedy, fields=list(one.model_fields),
        )
        for one in ordered
    ]  # fmt: skip
    return runs + [ReasonView(kind="row", code=one.value, meaning=one.meaning, remedy=one.remedy) for one in RowReason]


def page() -> str:
    """The reference page, as Markdown."""
    found = every_reason()
    rows = [(f"`{one.code}`", one.meaning, one.remedy) for one in found if one.kind == "row"]
    runs = [(f"`{one.code}`", one.stage or "", one.severity or "", one.meaning, one.remedy) for one in found if one.kind == "run"]
    return _PAGE.format(
        rows=_table(("Code", "Meaning", "What to do"), rows),
        runs=_table(("Code", "Stage", "Severity", "Meaning", "What to do"), runs),
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
