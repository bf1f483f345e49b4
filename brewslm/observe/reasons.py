"""Every reason code: `python -m brewslm.observe.reasons > docs/reasons.md` writes the page that is checked in."""

import sys
from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from brewslm.reasons import REGISTRY, Reason, Stage, is_event
from brewslm.rows import RowReason

_PAGE = """# Reason codes

Made by `python -m brewslm.observe.reasons > docs/reasons.md`; `brewslm reasons` shows the same. The codes are stable.

## Of rows

Every row that does not go on stands in a rejected file with one of these. `brewslm map --drop` takes the same codes.

{rows}
## Of runs

Why something happened, failed or was refused: the `type` of a problem document, the code of an event.

### Events

They enter the event stream ([audit](audit.md)). `critical` is for a broken chain, a lost event and an open ledger.

{events}
### Refusals

A request that was turned away before anything was written: it is shown, and enters no stream.

{refusals}"""


class ReasonView(BaseModel):
    """A reason code of a run (or of a refusal), or of a row: what it means, and what to do about it.

    Attributes:
        stage, severity: A run's alone.
        is_event: Whether it enters the event stream.
        causes: What it is likely to come from, the likeliest first.
        fields: The payload's names; `types` says what each holds.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["run", "row"]
    code: str
    stage: str | None = None
    severity: str | None = None
    is_event: bool = False
    meaning: str
    causes: list[str] = []
    remedy: str
    fields: list[str] = []
    types: dict[str, str] = {}


def every_reason() -> list[ReasonView]:
    """Those of runs in the order of the stages, then those of rows in the order in which a row meets them."""
    ordered = sorted(REGISTRY.values(), key=lambda reason: (list(Stage).index(reason.stage), reason.code))
    runs = [
        ReasonView(
            kind="run", code=one.code, stage=one.stage.value, severity=one.severity.value,
            is_event=is_event(one.model_construct()), meaning=one.meaning(), causes=list(one.causes),
            remedy=one.remedy, fields=list(one.model_fields), types=_types(one),
        )
        for one in ordered
    ]  # fmt: skip
    return runs + [ReasonView(kind="row", code=one.value, meaning=one.meaning, remedy=one.remedy) for one in RowReason]


def _types(reason: type[Reason]) -> dict[str, str]:
    """Such as {"rows": "int", "ledger": "dict[str, int]", "kappa": "float | None"}."""
    return {
        name: getattr(field.annotation, "__name__", "") if isinstance(field.annotation, type) and not get_args(field.annotation)
        else str(field.annotation).replace("typing.", "")
        for name, field in reason.model_fields.items()
    }  # fmt: skip


def page() -> str:
    """The reference page, as Markdown."""
    found = every_reason()
    runs = [one for one in found if one.kind == "run"]
    events = [
        (
            f"`{one.code}`", one.stage or "", one.severity or "", one.meaning, "; ".join(one.causes), one.remedy,
            ", ".join(f"`{field}: {type_}`" for field, type_ in one.types.items()),
        )
        for one in runs if one.is_event
    ]  # fmt: skip
    refusals = [(f"`{one.code}`", one.stage or "", one.meaning, one.remedy) for one in runs if not one.is_event]
    return _PAGE.format(
        rows=_table(
            ("Code", "Meaning", "What to do"), [(f"`{one.code}`", one.meaning, one.remedy) for one in found if one.kind == "row"]
        ),
        events=_table(("Code", "Stage", "Severity", "Meaning", "Likely causes", "What to do", "Payload"), events),
        refusals=_table(("Code", "Stage", "Meaning", "What to do"), refusals),
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
