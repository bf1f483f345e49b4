"""brewslm export and deploy, as a person types them."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.experiments import adopt_bundle, make_experiment

cli = CliRunner()


def run(*arguments):
    return cli.invoke(app, list(arguments))


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter)


def test_an_export_is_a_table_of_what_was_made_and_how_it_agrees(trained):
    lines = run("export", "--experiment", trained.id, "--format", "gguf-q8_0").stdout.splitlines()
    assert lines[0].split() == ["format", "size", "agreement", "KL", "tensors"]
    assert lines[1].split()[:4] == ["gguf-q8_0", "0.1", "MB", "100.0"] and lines[1].endswith("F32 5 · Q8_0 15")
    assert lines[-1] == "next: brewslm deploy create --export export-1"


def test_a_wrong_format_exits_2_with_a_suggestion(trained):
    refused = run("export", "--experiment", trained.id, "--format", "gguf-q8")
    assert refused.exit_code == 2 and "did you mean gguf-q8_0?" in refused.stderr


def test_the_verbs_of_a_deployment(trained, tiny_bundle):
    adopt_bundle(trained, tiny_bundle)
    assert "no deployment yet" in run("deploy", "list", "--project", "1").stdout
    assert run("deploy", "create", "--export", "export-1").stdout == "deployment 1 (v1)  none → pending  slot default\n"
    done = run("deploy", "promote", "1")
    assert done.stdout == "deployment 1 (v1)  none → v1  slot default  32 of 32 tokens as exported\n"
    run("deploy", "create", "--export", "export-1", "--variant", "gguf-f16")
    assert "pending → rejected" in run("deploy", "reject", "2").stdout
    assert run("deploy", "rollback", "1").exit_code == 1
    listed = json.loads(run("deploy", "list", "--project", "1", "--json").stdout)
    assert [(one["version"], one["state"], one["variant"]) for one in listed] == [
        (2, "rejected", "gguf-f16"),
        (1, "promoted", "gguf-q8_0"),
    ]


def test_a_promote_that_the_verdict_forbids_exits_3(project, tiny_model, tiny_adapter, tiny_bundle):
    adopt_bundle(make_experiment(project, tiny_model, tiny_adapter, promotable=False), tiny_bundle)
    run("deploy", "create", "--export", "export-1")
    blocked = run("deploy", "promote", "1")
    assert blocked.exit_code == 3 and "deployment_promote_blocked" in blocked.stderr and "next:" in blocked.stderr


def test_detached_promotes_are_queued(trained, tiny_bundle):
    adopt_bundle(trained, tiny_bundle)
    run("deploy", "create", "--export", "export-1")
    assert json.loads(run("deploy", "promote", "1", "--detach", "--json").stdout)["state"] == "queued"
