"""deploy settings and deploy stats, as a person types them and over HTTP."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from brewslm.api.app import create_app
from brewslm.cli.main import app
from brewslm.observe.gateway import slot_settings
from brewslm.pipeline import execute
from brewslm.serving.statistics import Recorder
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent
from tests.serving.odd import bare_export, version
from tests.serving.test_statistics import counted, exchange


@pytest.fixture
def export(project, tiny_base, tmp_path):
    made = bare_export(project, tiny_base, tmp_path / "made")
    version(made, 1)
    return made


def run(*arguments):
    return CliRunner().invoke(app, ["deploy", *arguments])


def events():
    with reading() as session:
        query = select(RunEvent).where(RunEvent.reason_code == "slot_settings_changed").order_by(RunEvent.id)
        return [json.loads(one.payload) for one in session.scalars(query)]


def test_settings_are_shown_set_one_by_one_and_told(export):
    shown = run("settings", "--project", "1").stdout
    assert "in flight" in shown and "log requests     False" in shown
    done = run("settings", "--project", "1", "--in-flight", "8", "--log-requests")
    assert done.exit_code == 0 and "log requests     True" in done.stdout
    run("settings", "--project", "1", "--wait-seconds", "2.5")
    found = slot_settings(1, "default").settings
    assert (found.in_flight, found.log_requests, found.wait_seconds, found.waiting) == (8, True, 2.5, 256)
    assert [one["after"] for one in events()] == [{"in_flight": 8, "log_requests": True}, {"wait_seconds": 2.5}]
    assert events()[0]["before"] == {"in_flight": 64, "log_requests": False}
    run("settings", "--project", "1", "--in-flight", "8")
    assert len(events()) == 2  # nothing changed


def test_what_can_not_be_set_is_refused_and_changes_nothing(export):
    before = slot_settings(1, "default")
    refused = run("settings", "--project", "1", "--in-flight", "0", "--log-requests")
    assert refused.exit_code == 2 and "in_flight: Input should be greater than or equal to 1" in refused.stderr
    unknown = run("settings", "--project", "1", "--slot", "other", "--in-flight", "3")
    assert unknown.exit_code == 1 and "unknown_slot" in unknown.stderr and "known: default" in unknown.stderr
    assert run("settings", "--project", "9").exit_code == 1
    assert slot_settings(1, "default") == before and events() == []


def test_settings_over_http(export):
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        address = "/api/projects/1/slots/default/settings"
        task = client.patch(address, json={"silence_seconds": 20}).json()
        execute.perform(task["task_id"])
        found = client.get(address).json()
        assert (found["settings"]["silence_seconds"], found["settings"]["in_flight"], found["log_bytes"]) == (20, 64, 0)
        assert client.get("/api/projects/1/slots/none/settings").json()["code"] == "unknown_slot"
        assert client.patch(address, json={"silence": 2}).json()["code"] == "invalid_request"


def test_statistics_of_each_version_newest_first(export):
    assert "no request yet" in run("stats", "--project", "1").stdout
    version(export, 2)
    counted(Recorder(), exchange(1, seconds=0.25), exchange(2, seconds=2, first=0.5, tokens=4), exchange(2, "model_server_broke"))
    lines = [line.split("  ") for line in run("stats", "--project", "1").stdout.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines[1:]]
    assert [line[:4] for line in cells] == [["default v2", "pending", "2", "1"], ["default v1", "pending", "1", "0"]]
    assert cells[1][5:] == ["– / – / – ms", "–"] and cells[0][4].endswith(" ms")
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        found = client.get("/api/projects/1/deployments/statistics?slot=default&days=1").json()
        assert [(one["deployment"], one["statistics"]["requests"]) for one in found] == [(2, 2), (1, 1)]
        assert found[0]["statistics"]["latency_seconds"]["p50"] == pytest.approx(2, rel=0.01)
        assert client.get("/api/projects/1/deployments/statistics?days=0").status_code == 422
    assert json.loads(run("stats", "--project", "1", "--json").stdout) == found
