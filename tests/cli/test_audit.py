"""brewslm audit tail|timeline|event|calls|export|filter."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.observe.stream import write
from tests.running import until


def run(*arguments: object, code: int = 0) -> str:
    found = CliRunner().invoke(app, [str(one) for one in arguments])
    assert found.exit_code == code, found.output
    return found.stdout


@pytest.fixture
def stream(project) -> int:
    write(
        project,
        [
            {
                "run": "exp-1",
                "parent": "autopilot-1",
                "payload": {"error": "out of memory"},
                "severity": "error",
                "code": "training_oom",
            },
            {"run": "autopilot-1"},
        ],
    )
    return project


def test_tail_filters(stream):
    assert [event["id"] for event in json.loads(run("audit", "tail", "--json"))] == [1, 2]
    for chosen in (("--text", "memory"), ("--code", "training_oom"), ("--severity", "error"), ("--before", 2)):
        assert [event["id"] for event in json.loads(run("audit", "tail", *chosen, "--json"))] == [1]
    assert "no event fits" in run("audit", "tail", "--actor", "nobody")
    assert "no event fits" in run("audit", "tail", "--since", "1h") and "training_oom" in run(
        "audit", "tail", "--until", "2099-01-01"
    )
    for wrong in (("--severity", "red"), ("--since", "soon"), ("--text", "--")):
        run("audit", "tail", *wrong, code=2)
    assert "unknown_project" in run("audit", "tail", "--project", 9, "--json", code=1)


def test_the_tree_is_drawn(stream):
    lines = run("audit", "timeline", "--project", stream).splitlines()
    assert lines[0] == "autopilot-1" and lines[1].split() == ["2", "2026-01-31", "22:02:00", "training_completed"]
    assert lines[2] == "  exp-1  1 error" and lines[3].split()[-2:] == ["training_oom", "error"]
    assert json.loads(run("audit", "timeline", "--project", stream, "--run", "exp-1", "--json"))["trees"][0]["run"] == "exp-1"


def test_an_event_is_told_with_what_it_leads_to(stream):
    said = run("audit", "event", 1)
    assert "Training ran out of memory." in said and "error: out of memory" in said and "next: Close what else" in said
    assert f"brewslm audit timeline --project {stream} --run exp-1" in said
    assert json.loads(run("audit", "event", 1, "--json"))["id"] == 1
    assert "unknown_event" in run("audit", "event", 9, "--json", code=1)


def test_calls_and_their_facets(project):
    (call,) = json.loads(run("audit", "calls", "--json"))
    assert call["operation"] == "project.create" and call["face"] == "python"
    run("project", "create", "another", "--json")
    newest = json.loads(run("audit", "calls", "--face", "cli", "--json"))
    assert [one["operation"] for one in newest] == ["project.create"] and newest[0]["request_id"]
    assert "2 calls" in run("audit", "calls", "--facets") and "no call fits" in run("audit", "calls", "--text", "nothing")


def test_filters_by_name(stream):
    assert "severity=error" in run("audit", "filter", "save", "failures", "--set", "severity=error")
    assert [event["id"] for event in json.loads(run("audit", "tail", "--filter", "failures", "--json"))] == [1]
    assert json.loads(run("audit", "filter", "list", "--json"))[0]["name"] == "failures"
    run("audit", "filter", "save", "x", "--set", "severity=red", code=2)
    assert "unknown_filter" in run("audit", "tail", "--filter", "failure", "--json", code=1)
    run("audit", "filter", "delete", "failures")
    assert "no filter yet" in run("audit", "filter", "list")


def test_an_export_is_a_whole_new_file_or_none(stream, tmp_path):
    out = tmp_path / "events.parquet"
    assert json.loads(run("audit", "export", "--format", "parquet", "--out", out, "--json"))["bytes"] == out.stat().st_size
    assert "already" in run("audit", "export", "--out", out, "--json", code=2)
    assert len(run("audit", "export", "--severity", "error").splitlines()) == 1
    assert len(run("audit", "export", "--of", "calls", "--format", "csv").splitlines()) == 2
    run("audit", "export", "--format", "xml", code=2)
    run("audit", "export", "--of", "calls", "--stage", "eval", code=2)
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".parquet" or one.name.startswith(".")] == ["events.parquet"]


def test_tail_follows_until_it_is_interrupted(stream, home):
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background jobs ignore it
    main = f"{heeded}; from brewslm.cli.main import main; main()"
    command = [sys.executable, "-c", main, "audit", "tail", "-f", "--json", "--project", str(stream)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as following:
        try:
            first = [json.loads(following.stdout.readline())["id"] for _ in range(2)]
            write(stream, [{} for _ in range(3)])
            then = [json.loads(following.stdout.readline())["id"] for _ in range(3)]
            following.send_signal(signal.SIGINT)
            until(lambda: following.poll() is not None, "its end")
        finally:
            following.kill()
        assert (first, then, following.returncode, following.stderr.read()) == ([1, 2], [3, 4, 5], 0, b"")
