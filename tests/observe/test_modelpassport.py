"""A model's passport names the first link that does not hold, whichever file of the chain was touched."""

import shutil

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.modelpassport import model_passport, must_hold
from brewslm.pipeline.execute import call
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.store.database import transaction
from brewslm.store.files import project_folder, run_folder, sha256, write_json
from brewslm.store.tables import Export, ForgottenFile, Run
from tests.experiments import adopt_bundle, export_here, make_experiment


@pytest.fixture(scope="module")
def base(tiny_model, tmp_path_factory):
    return shutil.copytree(tiny_model, tmp_path_factory.mktemp("own") / "base")


@pytest.fixture(scope="module")
def bundle(base, tiny_adapter, tmp_path_factory):
    return export_here(base, tiny_adapter, tmp_path_factory.mktemp("exports"), ("hf", "gguf-f16", "gguf-q8_0"))


@pytest.fixture
def deployed(project, base, tiny_adapter, bundle):
    """ "deployment-N" of a Q8_0 of an export of an experiment."""
    exported = adopt_bundle(make_experiment(project, base, tiny_adapter), bundle)
    return f"deployment-{call('test', CreateRequest(export=exported, variant='gguf-q8_0')).result['deployment']}"


def test_a_chain_that_holds_is_whole(deployed):
    found = model_passport(deployed)
    assert found.whole and found.broken is None and found.reason_code is None
    names = [one.link for one in found.links]
    assert [name for place, name in enumerate(names) if name not in names[:place]] == [
        "base", "manifest", "adapter", "bundle", "merged", "file", "deployment",
    ]  # fmt: skip
    must_hold(found)


def test_it_names_who_ran_each_step_with_which_job(deployed):
    write_json(run_folder("exp-1") / "job.json", {"operation": "train.run"})
    with transaction() as session:
        session.get_one(Run, "exp-1").result = {"environment": {"device": "cpu"}}
    steps = {one.run_id: one for one in model_passport(deployed).steps}
    assert {one.operation for one in steps.values()} == {
        "prepare.run", "train.run", "evaluate.run", "export.run", "deploy.create",
    }  # fmt: skip
    trained = steps["exp-1"]
    assert (trained.actor, trained.environment) == ("test", {"device": "cpu"})
    assert trained.job_sha256 == sha256(run_folder("exp-1") / "job.json") and steps["prepare-1"].job_sha256 == ""
    shown = CliRunner().invoke(app, ["model", "verify", deployed]).stdout
    assert "exp-1" in shown and trained.job_sha256[:12] in shown


def test_a_hash_that_changed_by_forgetting_holds_and_says_so(deployed, project):
    path = project_folder(project) / "exports/export-1/smoke-trace.json"
    old = sha256(path)
    path.write_bytes(path.read_bytes() + b" ")
    hashes = {"old_sha256": old, "new_sha256": sha256(path)}
    with transaction() as session:
        session.add(ForgottenFile(project_id=project, run_id="prepare-1", path="exports/export-1/smoke-trace.json", **hashes))
    found = model_passport(deployed)
    assert found.whole and [one.note for one in found.links if one.note] == ["a row was forgotten since, by prepare-1"]
    path.write_bytes(path.read_bytes() + b" ")
    assert model_passport(deployed).broken.cause == "its SHA-256 is another"


@pytest.mark.parametrize(
    ("file", "link", "cause"),
    [
        ("prepared/v1/train.jsonl", "manifest", "SHA-256 differs"),
        ("experiments/exp-1/adapter/adapter_model.safetensors", "adapter", "SHA-256 is another"),
        ("exports/export-1/manifest.json", "bundle", "SHA-256 is another"),
        ("exports/export-1/hf/model.safetensors", "merged", "SHA-256 is another"),
        ("exports/export-1/gguf-q8_0/model-q8_0.gguf", "file", "SHA-256 is another"),
        ("exports/export-1/smoke-trace.json", "file", "SHA-256 is another"),
    ],
)
def test_a_changed_file_breaks_its_own_link_first(deployed, project, file, link, cause):
    with (project_folder(project) / file).open("ab") as opened:
        opened.write(b" ")
    found = model_passport(deployed)
    assert not found.whole and found.reason_code == "passport_broken"
    assert found.broken.link == link and cause in found.broken.cause
    with pytest.raises(StageError, match="passport_broken"):
        must_hold(found)


def test_a_changed_base_is_the_first_of_all(deployed, base, monkeypatch):
    config = base / "config.json"
    before = config.read_text()
    try:
        config.write_text(before.replace("silu", "gelu"))
        assert model_passport(deployed).broken.link == "base"
    finally:
        config.write_text(before)


def test_a_file_of_another_variant_does_not_concern_this_one(deployed, project):
    (project_folder(project) / "exports" / "export-1" / "gguf-f16" / "model-f16.gguf").unlink()
    assert model_passport(deployed).whole
    whole = model_passport("export-1")
    assert (whole.broken.name, whole.broken.cause) == ("export-1:gguf-f16", "it is missing")


def test_a_version_whose_variant_its_export_lost_is_broken_there(deployed):
    with transaction() as session:
        export = session.get_one(Export, "export-1")
        export.artifacts = {name: one for name, one in export.artifacts.items() if name != "gguf-q8_0"}
    assert model_passport(deployed).broken.link == "deployment"


@pytest.mark.parametrize(
    ("subject", "code"), [("export-9", "unknown_run"), ("deployment-9", "unknown_deployment"), ("a model", "invalid_request")]
)
def test_what_is_not_there_is_named(subject, code):
    with pytest.raises(StageError, match=code):
        model_passport(subject)
