"""What brewslm.yaml may say. `python -m brewslm.pipeline.project_file.schema` prints its JSON Schema."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.recipe import Recipe
from brewslm.pipeline.project_file.section import Section
from brewslm.stages.clean import CleanRequest
from brewslm.stages.deploy.changes import CreateRequest as DeployRequest
from brewslm.stages.deploy.schedule import ScheduleRequest
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from brewslm.stages.documents import AddRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.projects import CreateRequest
from brewslm.stages.train import TrainRequest

VERSION = "slm.project/v1"
HIDDEN = "…"
"""What stands in a written address where a secret may stand."""
PROJECT = Section(shown=("base_model",))
SOURCE = Section("content_hash", "forced", "confidence", "parent_import", shown=("field_map",), project=0)
DOCUMENTS = Section(project=0)
CLEAN = Section(shown=("preset", "pii"), project=0)
PREPARE = Section("resplit", shown=("adapter", "seed"), project=0)
PREFLIGHT = Section(
    "base_model", "recipe", "settings", "manifest_version", "eval_pack", "export_formats", shown=("probe",), project=0
)
TRAIN = Section("manifest_version", "eval_pack", "export_formats", texts=("settings",), project=0)
EVALUATE = Section("target", shown=("eval_pack",), experiment="")
EXPORT = Section(shown=("formats",), experiment="")
DEPLOY = Section(shown=("endpoint", "target"), texts=("settings",), export="")
GATEWAY = Section("slot", project=0)
SCHEDULE = Section("slot", shown=("timezone",), project=0)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Slot(_Strict):
    """One slot: the version that is made for it, how its gateway behaves, and when the version that answers is checked.

    Attributes:
        create, settings, schedule: As deploy.create, deploy.settings and deploy.schedule are asked.
    """

    create: Annotated[DeployRequest, DEPLOY] = DeployRequest(export="")
    settings: Annotated[SlotSettingsRequest, GATEWAY] | None = None
    schedule: Annotated[ScheduleRequest, SCHEDULE] | None = None

    @property
    def name(self) -> str:
        """The slot's name."""
        return self.create.endpoint


class ProjectFile(_Strict):
    """What a project is, and how its pipeline runs. A part that is left out is no part of the project's pipeline.

    Attributes:
        sources: Each is kept and mapped, in this order.
    """

    contract_version: Literal["slm.project/v1"]
    project: Annotated[CreateRequest, PROJECT]
    sources: tuple[Annotated[CommitRequest, SOURCE], ...] = ()
    documents: Annotated[AddRequest, DOCUMENTS] | None = None
    clean: Annotated[CleanRequest, CLEAN] | None = None
    prepare: Annotated[PrepareRequest, PREPARE] | None = None
    preflight: Annotated[PreflightRequest, PREFLIGHT] | None = None
    train: Annotated[TrainRequest, TRAIN] | None = None
    evaluate: Annotated[EvaluateRequest, EVALUATE] | None = None
    export: Annotated[ExportRequest, EXPORT] | None = None
    deploy: tuple[Slot, ...] = Field(default=(), max_length=100)


SECTIONS: dict[str, Section] = {
    "project": PROJECT,
    "documents": DOCUMENTS,
    "clean": CLEAN,
    "prepare": PREPARE,
    "preflight": PREFLIGHT,
    "train": TRAIN,
    "evaluate": EVALUATE,
    "export": EXPORT,
}
"""Those that stand in the file once."""
_OF_A_SLOT = {"create": DEPLOY, "settings": GATEWAY, "schedule": SCHEDULE}


def as_value(file: ProjectFile) -> dict[str, Any]:
    """The file as plain values, in the order in which it is written: what was chosen, and no default that goes without saying."""
    made: dict[str, Any] = {}
    for name in ProjectFile.model_fields:
        value = getattr(file, name)
        if name in SECTIONS and value is not None:
            made[name] = SECTIONS[name].value_of(value)
        elif name == "sources" and value:
            made[name] = [SOURCE.value_of(one) for one in value]
        elif name == "deploy" and value:
            made[name] = [_slot(one) for one in value]
    return {"contract_version": VERSION} | made


def _slot(slot: Slot) -> dict[str, Any]:
    parts = ((name, section, getattr(slot, name)) for name, section in _OF_A_SLOT.items())
    return {name: section.value_of(part) for name, section, part in parts if part is not None}


def document() -> str:
    """The JSON Schema of a file, as it is checked in: editors read it to complete and to check what is typed."""
    made = ProjectFile.model_json_schema()
    for place in (made, made["$defs"]["Slot"]):
        for name, one in place["properties"].items():
            if "anyOf" in one:  # in a file a part is there or is not: it is never null
                place["properties"][name] = next(kind for kind in one["anyOf"] if kind != {"type": "null"})
            place["properties"][name].pop("default", None)
    recipe = Recipe.model_json_schema()["properties"]
    settings = made["properties"]["train"]["properties"]["settings"]
    settings |= {"properties": {name: one for name, one in recipe.items() if name != "id"}, "additionalProperties": False}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "brewslm.yaml"}
    return json.dumps(head | {key: one for key, one in made.items() if key != "title"}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(document(), end="")
