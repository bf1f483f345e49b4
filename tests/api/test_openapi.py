"""The contract that is checked in, and that every operation has a face on both sides."""

import json
from pathlib import Path

import pytest
import typer

from brewslm.api import academy, data, deployments, drift, explorer, manifests, projects, support, training
from brewslm.api.app import create_app
from brewslm.api.openapi import document
from brewslm.cli.main import app as cli
from brewslm.pipeline.autopilot import AutopilotRequest
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.pipeline.support import SupportBundleRequest
from brewslm.stages.academy import AnswerRequest, ReadRequest
from brewslm.stages.clean import CleanRequest
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.stages.deploy.schedule import PauseRequest, ScheduleRequest
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.export.compare import CompareRequest
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.projects import ChangeRequest
from brewslm.stages.projects import CreateRequest as CreateProjectRequest
from brewslm.stages.saved_filters import SaveRequest
from brewslm.stages.train import ReproduceRequest, TrainRequest

CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.json"
VERBS = {
    "map.commit": "map",
    "autopilot.run": "autopilot",
    "train.reproduce": "reproduce",
    "deploy.check_drift": "deploy check",
    "deploy.pause_schedule": "deploy pause-schedule",
    "filter.save": "audit filter save",
    "filter.delete": "audit filter delete",
    **{f"{verb}.run": verb for verb in ("ingest", "clean", "prepare", "preflight", "train", "evaluate", "export")},
}
"""The verb of an operation whose name is not the verb itself with spaces."""
BODIES = [
    (academy.ReadFields, ReadRequest, {"lesson"}),
    (academy.AnswerFields, AnswerRequest, {"lesson"}),
    (projects.CreateFields, CreateProjectRequest, set()),
    (projects.ChangeFields, ChangeRequest, {"project"}),
    (data.IngestFields, IngestRequest, {"project"}),
    (data.ImportFields, ImportRequest, {"project", "commit"}),
    (data.CleanFields, CleanRequest, {"project"}),
    (manifests.PrepareFields, PrepareRequest, {"project"}),
    (training.PreflightFields, PreflightRequest, {"project"}),
    (training.AutopilotFields, AutopilotRequest, {"project"}),
    (training.ReproduceFields, ReproduceRequest, {"experiment"}),
    (training.EvaluateFields, EvaluateRequest, {"experiment"}),
    (deployments.ExportFields, ExportRequest, {"experiment"}),
    (deployments.CompareFields, CompareRequest, {"export"}),
    (deployments.CreateFields, CreateRequest, set()),
    (deployments.SlotSettingsFields, SlotSettingsRequest, {"project", "slot"}),
    (support.SupportBundleFields, SupportBundleRequest, {"project"}),
    (drift.CheckFields, CheckRequest, {"deployment"}),
    (drift.ScheduleFields, ScheduleRequest, {"project", "slot"}),
    (drift.PauseFields, PauseRequest, {"project", "slot"}),
    (explorer.FilterFields, SaveRequest, {"name"}),
]


def test_the_document_that_is_checked_in_is_that_of_the_code():
    fresh = document()
    assert json.loads(CHECKED_IN.read_text()) == json.loads(fresh), "run: python -m brewslm.api.openapi > docs/openapi.json"
    assert CHECKED_IN.read_text() == fresh


def routes() -> set[str]:
    paths = create_app(with_worker=False).openapi()["paths"]
    found = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(found) == len(set(found))
    return set(found)


def verbs() -> set[str]:
    def walk(command, name: str) -> list[str]:
        inside = getattr(command, "commands", None)
        itself = [name] if not inside or getattr(command, "invoke_without_command", False) else []
        return itself + [verb for part, one in (inside or {}).items() for verb in walk(one, f"{name} {part}".strip())]

    return set(walk(typer.main.get_command(cli), ""))


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_has_a_route_and_a_verb(name):
    assert name in routes()
    assert VERBS.get(name, name.replace(".", " ")) in verbs()


@pytest.mark.parametrize(("body", "request_type", "in_address"), BODIES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_body_has_every_field_of_its_operation(body, request_type, in_address):
    assert set(body.model_fields) == set(request_type.model_fields) - in_address


def test_training_takes_the_fields_of_training_and_of_autopilot():
    both = set(TrainRequest.model_fields) | set(AutopilotRequest.model_fields)
    assert set(training.TrainFields.model_fields) == both - {"project"} | {"autopilot"}
