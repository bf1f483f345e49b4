"""A file beside the project, field by field, and what applying it would do."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.pipeline.project_file.data import ONLY_SHOWN
from brewslm.pipeline.project_file.exporting import exported
from brewslm.pipeline.project_file.plan import Step, plan
from brewslm.pipeline.project_file.schema import ProjectFile, as_value
from brewslm.reasons.shown import shown_locator


class FieldDifference(BaseModel):
    """One field that is not the same.

    Attributes:
        where: Such as "train.settings.epochs", or "sources[jsonl:rows.jsonl].limit".
        file, project: Its values; None where one does not say it, which means what goes without saying.
    """

    model_config = ConfigDict(frozen=True)

    where: str
    file: Any
    project: Any


class FileDiff(BaseModel):
    """A file and a project.

    Attributes:
        same: They say the same, and applying the file would do nothing.
        differences: Field by field. What only the project has stays there when the file is applied.
        steps: What applying would do.
    """

    same: bool
    differences: list[FieldDifference]
    steps: list[Step]


def file_diff(file: ProjectFile, project: int) -> FileDiff:
    """Hold a file against a project.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    every = _differences("", _named(as_value(file)), _named(as_value(exported(project))))
    found = [one for one in every if one.where != "project.name" and (one.where, one.file) != ("project.base_model", None)]
    steps = plan(project, file)
    same = not found and all(step.action == "up_to_date" for step in steps)
    return FileDiff(same=same, differences=found, steps=steps)


def _named(value: dict[str, Any]) -> dict[str, Any]:
    """Lists of parts by their names, so that each is held against its like wherever it stands."""
    made = dict(value)
    if "documents" in made:
        made["documents"] = {"paths": [shown_locator(path) for path in made["documents"]["paths"]]}
    sources: dict[str, Any] = {}
    for one in value.get("sources", ()):
        kept = {name: field for name, field in one.items() if name not in ("locator", *ONLY_SHOWN)}
        locator = shown_locator(one["locator"])
        sources[locator if locator not in sources else f"{locator} as {one['mapper']}"] = kept
    slots = {one["create"]["endpoint"]: one for one in value.get("deploy", ())}
    made |= {"sources": sources} if sources else {}
    return made | ({"deploy": slots} if slots else {})


def _differences(where: str, file: Any, project: Any) -> Iterator[FieldDifference]:
    if isinstance(file, dict) and isinstance(project, dict):
        for key in [*file, *(one for one in project if one not in file)]:
            name = f"{where}[{key}]" if where in ("sources", "deploy") else f"{where}.{key}".lstrip(".")
            yield from _differences(name, file.get(key), project.get(key))
    elif file != project:
        yield FieldDifference(where=where, file=file, project=project)
