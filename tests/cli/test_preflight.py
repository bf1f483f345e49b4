"""What a person sees of preflight: the verdict, each finding with its next step, the plans."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.pipeline.execute import call
from brewslm.stages.prepare import PrepareRequest
from tests.synthetic import add_rows, reviews


@pytest.fixture
def ready(project, tiny_model):
    add_rows(project, reviews(90))
    call("test", PrepareRequest(project=project, train_rows=40, dev_rows=8, eval_rows=40))
    return ["preflight", "--project", str(project), "--base-model", f"path:{tiny_model}"]


def test_the_plans_are_a_small_table_with_a_reason_for_each_change(ready):
    done = CliRunner().invoke(app, ready)
    assert done.exit_code == 0 and done.stdout.startswith("fits: ")
    lines = done.stdout.splitlines()
    table = lines[next(at for at, line in enumerate(lines) if line.startswith("--plan")) :]
    assert [line.split()[0] for line in table[1:4]] == ["safe", "balanced", "max_quality"]
    assert any(line.startswith("  max_quality epochs: twice the time") for line in table)
    assert "the recipe as it is" in table[2] and "(measured)" in lines[0] and "time: " in lines[1]


def test_json_has_the_same_with_stable_keys(ready):
    result = json.loads(CliRunner().invoke(app, [*ready, "--json"]).stdout)["result"]
    assert [plan["name"] for plan in result["plans"]] == ["safe", "balanced", "max_quality"]
    assert {"name", "changes", "recipe", "rows", "steps", "memory_bytes", "memory_basis", "seconds", "fits"} == set(
        result["plans"][0]
    )


def test_a_blocker_is_shown_with_its_next_step_and_ends_with_1(ready):
    done = CliRunner().invoke(app, [*ready, "--set", "max_length=5"])
    assert done.exit_code == 1
    assert "blocker no_trainable_rows: 0 of 40 rows; the limit is at least 1\n  next: Prepare with more rows." in done.stdout


def test_a_format_or_a_plan_that_is_not_known_gets_a_did_you_mean(ready):
    done = CliRunner().invoke(app, [*ready, "--format", "gguf-q8"])
    assert done.exit_code != 0 and "did you mean gguf-q8_0" in done.stderr
    done = CliRunner().invoke(app, ["train", *ready[1:], "--plan", "saf"])
    assert done.exit_code == 2 and "did you mean safe" in done.stderr
