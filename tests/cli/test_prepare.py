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


def run(*arguments):
    return runner.invoke(app, [str(one) for one in arguments])


def test_a_request_that_can_not_be_meant_so_is_one_line_and_exit_code_2(project):
    add_rows(project, reviews(50))
    for given, said in (
        (("--eval-rows", 5, "--eval-share", 0.2), "eval_rows and eval_share say the same twice"),
        (("--eval-share", 0.7, "--dev-share", 0.4), "leave nothing to train on"),
        (("--eval-share", 1.5), "--eval-share"),
        (("--group-by", "a", "--time-by", "b"), "two ways to split"),
        (("--pii", "redakt"), "--pii"),
        (("--adapter", "qa-piar"), "known: "),
    ):
        done = run("prepare", "--project", project, *given)
        assert (done.exit_code, done.stdout) == (2, "") and said in done.stderr, given
        assert "Traceback" not in done.stderr


def test_versions_are_listed_shown_compared_and_taken_into_use_again(project):
    assert "no data manifest yet" in run("manifest", "list", "--project", project).stdout
    add_rows(project, reviews(50))
    run("prepare", "--project", project)
    done = run("prepare", "--project", project, "--train-rows", 20, "--seed", 7)
    assert "note: the split was drawn anew: rows may stand on another side than in v1" in done.stdout
    lines = run("manifest", "list", "--project", project).stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["v2", "in", "use"], ["v1", "classification", "train"]]
    shown = run("manifest", "show", "--project", project, 1).stdout
    assert shown.startswith("# Data manifest v1 of project 1") and "| eval | 10 |" in shown
    assert json.loads(run("manifest", "show", "--project", project, 1, "--json").stdout)["manifest"]["version"] == 1
    compared = run("manifest", "diff", "--project", project, 1, 2).stdout
    assert "  train  35 → 20\n" in compared and "  seed: 42 → 7\n" in compared
    assert "  ledger.rejected.split_limit: - → 15\n" in compared
    assert run("manifest", "activate", "--project", project, 1).stdout == "project 1 uses data manifest v1\n"
    assert run("manifest", "activate", "--project", project, 9).exit_code == 1
    assert "data manifest v1" in run("project", "show", project).stdout


def test_the_adapter_presets_are_listed():
    assert "classification-label   text, label" in run("adapters").stdout
    assert {one["name"] for one in json.loads(run("adapters", "--json").stdout)} >= {"auto", "default-canonical"}
