"""toolchain install and list, as a person types them and as a program asks."""

import json

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent
from tests.processes.test_toolchains import definitions  # noqa: F401 - a fixture

cli = CliRunner()


@pytest.mark.usefixtures("definitions")
def test_a_toolchain_is_installed_listed_and_told(project):
    shown = cli.invoke(app, ["toolchain", "list"]).stdout
    assert "not installed" in shown and "next: brewslm toolchain install tiny" in shown
    done = cli.invoke(app, ["toolchain", "install", "tiny"])
    assert done.exit_code == 0 and done.stdout.startswith("tiny: 1 packages"), done.output
    (listed,) = json.loads(cli.invoke(app, ["toolchain", "list", "--json"]).stdout)
    assert (listed["installed"], listed["packages"], listed["next_step"]) == (True, {"tinytool": "1.0"}, None)
    with reading() as session:
        (event,) = session.scalars(select(RunEvent)).all()
    assert (event.reason_code, json.loads(event.payload)["packages"]) == ("toolchain_installed", 1)
    again = json.loads(cli.invoke(app, ["toolchain", "install", "tiny", "--json"]).stdout)
    assert again["state"] == "succeeded" and not again["result"]["newly"]


def test_an_unknown_toolchain_ends_with_a_usage_error():
    done = cli.invoke(app, ["toolchain", "install", "vlm", "--json"])
    problem = json.loads(done.stdout)
    assert (done.exit_code, problem["code"]) == (2, "invalid_request") and "did you mean vllm?" in problem["detail"]
