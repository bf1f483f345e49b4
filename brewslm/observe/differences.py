"""Two runs of one operation held against each other, field by field."""

import re
from typing import Any

from pydantic import BaseModel

from brewslm.pipeline.working import TIME_LIMIT
from brewslm.reasons.shown import shown_locator
from brewslm.settings import settings
from brewslm.store.files import read_json, run_folder
from brewslm.store.tables import Run

LONGEST = 200


class FieldDifference(BaseModel):
    """A field that is not as it was: "recipe.batch_size" 8 → 4; None where it was not there."""

    field: str
    before: Any
    after: Any


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[FieldDifference]:
    """What is otherwise, by the fields' names, dots between the levels."""
    then, now = dict(_flat(before)), dict(_flat(after))
    names = [*then, *(name for name in now if name not in then)]
    return [
        FieldDifference(field=name, before=then.get(name), after=now.get(name))
        for name in names
        if then.get(name) != now.get(name)
    ]


def run_differences(before: Run, after: Run, time_limit: float | None) -> tuple[list[FieldDifference], list[FieldDifference]]:
    """What was asked otherwise, and what of the frozen jobs beyond that.

    Args:
        time_limit: Seconds that a resume had set for the run before, when it ended.
    """
    asked = differences(_shown(before, before.request), _shown(after, after.request))
    then, now = _job(before), _job(after)
    jobs = differences(_shown(before, then), _shown(after, now)) if then and now else []
    told = {(one.field.rpartition(".")[2], str(one.before), str(one.after)) for one in asked}
    more = [one for one in jobs if (one.field.rpartition(".")[2], str(one.before), str(one.after)) not in told]
    path = run_folder(after.id) / TIME_LIMIT
    limit = read_json(path) if path.exists() else None
    if limit != time_limit:
        more.append(FieldDifference(field="time_limit_seconds", before=time_limit, after=limit))
    return asked, more


def _job(run: Run) -> dict[str, Any]:
    path = run_folder(run.id) / "job.json"
    job: dict[str, Any] = read_json(path)["job"] if path.exists() else {}
    return job


def _shown(run: Run, value: Any) -> Any:
    """As it can be compared and shown: without the run's own id, this machine's folders, and what a URL keeps secret."""
    if isinstance(value, dict):
        return {name: _shown(run, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_shown(run, one) for one in value]
    if not isinstance(value, str):
        return value
    said = shown_locator(value.replace(str(settings().home), "<home>"))
    said = re.sub(rf"(?<![\w-]){re.escape(run.id)}(?!\w)", "<run>", said)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def _flat(value: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, one in value.items():
        found += _flat(one, f"{prefix}{name}.") if isinstance(one, dict) else [(f"{prefix}{name}", one)]
    return found
