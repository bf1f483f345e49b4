"""brewslm export and deploy, as a person types them."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.experiments import adopt_bundle, make_experiment

pytestmark = pytest.mark.usefixtures("warm_children")

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
    assert run("deploy", "create", "--export", "export-1").stdout == "deployment 1 (v1)  none → pending  endpoint default\n"
    done = run("deploy", "promote", "1")
    assert done.stdout == "deployment 1 (v1)  none → v1  endpoint default  32 of 32 tokens as exported\n"
    run("deploy", "create", "--export", "export-1", "--variant", "gguf-f16")
    assert "pending → rejected" in run("deploy", "reject", "2").stdout
    assert run("deploy", "rollback", "1").exit_code == 1
    listed = json.loads(run("deploy", "list", "--project", "1", "--json").stdout)
    assert [(one["version"], one["state"], one["variant"]) for one in listed] == [
        (2, "rejected", "gguf-f16"),
        (1, "promoted", "gguf-q8_0"),
    ]


def test_versions_are_listed_by_endpoint_with_what_serves_them(trained, tiny_bundle):
    adopt_bundle(trained, tiny_bundle)
    url = ("--set", "url=http://127.0.0.1:9/v1", "--set", "model=theirs")
    run("deploy", "create", "--export", "export-1")
    made = run("deploy", "create", "--export", "export-1", "--endpoint", "other", "--target", "endpoint", "--variant", "hf", *url)
    assert made.stdout == "deployment 2 (v1)  none → pending  endpoint other\n"
    lines = run("deploy", "list", "--project", "1").stdout.splitlines()
    assert lines[0].split() == ["id", "endpoint", "version", "state", "serves", "target", "smoke", "check", "live", "at"]
    assert lines[1].split() == ["2", "other", "v1", "pending", "export-1:hf", "endpoint"]
    assert lines[2].split() == ["1", "default", "v1", "pending", "export-1:gguf-q8_0", "local"]
    assert run("deploy", "plan", "1").stdout == "the target local launches nothing elsewhere\n"
    assert run("deploy", "plan", "9").exit_code == 1


def test_the_targets_are_listed_with_their_settings():
    said = run("deploy", "targets").stdout
    assert "local  A model server on this machine" in said and "cloud-burst  vLLM on a rented machine" in said
    listed = {one["name"]: one["settings"] for one in json.loads(run("deploy", "targets", "--json").stdout)}
    assert listed["local"]["parallel"]["default"] == 4 and set(listed["endpoint"]) == {"url", "model", "key"}


def test_a_wrong_target_or_setting_is_refused_with_a_suggestion(trained, tiny_bundle):
    adopt_bundle(trained, tiny_bundle)
    create = ("deploy", "create", "--export", "export-1")
    for more, said in (
        (("--target", "vlm"), "did you mean vllm?"), (("--set", "parallell=2"), "did you mean parallel?"),
        (("--endpoint", "Mine"), "lower-case letter"), (("--target", "vllm", "--variant", "gguf-f16"), "it serves vllm, hf"),
    ):  # fmt: skip
        refused = run(*create, *more)
        assert refused.exit_code in (1, 2) and said in refused.stderr, refused.stderr


def test_a_key_is_read_from_a_pipe_and_never_shown(project, home):
    done = cli.invoke(app, ["deploy", "key", "acme", "--project", "1"], input="sk-secret\n")
    assert done.exit_code == 0 and "sk-secret" not in done.stdout + done.stderr
    assert (home / "projects" / "1" / "secrets" / "endpoint-acme.key").read_text() == "sk-secret"
    assert cli.invoke(app, ["deploy", "key", "A B", "--project", "1"], input="x\n").exit_code == 2


def test_a_promote_that_the_verdict_forbids_exits_3(project, tiny_model, tiny_adapter, tiny_bundle):
    adopt_bundle(make_experiment(project, tiny_model, tiny_adapter, promotable=False), tiny_bundle)
    run("deploy", "create", "--export", "export-1")
    blocked = run("deploy", "promote", "1")
    assert blocked.exit_code == 3 and "deployment_promote_blocked" in blocked.stderr and "next:" in blocked.stderr


def test_detached_promotes_are_queued(trained, tiny_bundle):
    adopt_bundle(trained, tiny_bundle)
    run("deploy", "create", "--export", "export-1")
    assert json.loads(run("deploy", "promote", "1", "--detach", "--json").stdout)["state"] == "queued"
