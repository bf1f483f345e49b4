"""brewslm prepare, as a person types it."""

import json

from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.synthetic import add_rows, reviews

runner = CliRunner()


def test_the_split_is_said_in_one_line(project):
    add_rows(project, reviews(50))
    done = runner.invoke(app, ["prepare", "--project", str(project), "--train-rows", "20", "--seed", "3"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "manifest v1  classification  train 20 · dev 5 · eval 10 · leaks 0",
        "left out: split_limit 15",
    ]


def test_json_alone_is_on_stdout(project):
    add_rows(project, reviews(50))
    done = runner.invoke(app, ["prepare", "--project", str(project), "--json"])
    shown = json.loads(done.stdout)
    assert shown["result"]["rows"] == {"train": 35, "dev": 5, "eval": 10}
    assert shown["task_id"] == "prepare-1"


def test_problems_have_a_message_and_an_exit_code(project):
    done = runner.invoke(app, ["prepare", "--project", str(project)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "next: Commit rows first" in done.stderr
    assert runner.invoke(app, ["prepare", "--project", "9"]).exit_code == 1
    assert runner.invoke(app, ["prepare", "--project", str(project), "--eval-rows", "0"]).exit_code == 2
    add_rows(project, reviews(50))
    done = runner.invoke(app, ["prepare", "--project", str(project), "--task-profile", "poetry", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["code"] == "invalid_request"
