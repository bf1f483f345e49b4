"""brewslm export compare and brewslm model verify, as a person types them; and the same over HTTP."""

import json

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from brewslm.api.app import create_app
from brewslm.cli.main import app
from brewslm.stages.export.choosing import frontier, recommended
from brewslm.stages.export.compare import CompareResult
from brewslm.store.database import transaction
from brewslm.store.files import project_folder
from brewslm.store.tables import Export
from tests.experiments import adopt_bundle, make_experiment
from tests.stages.test_export_variants import F16, Q4, Q8


@pytest.fixture
def exported(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


@pytest.fixture
def compared(exported):
    """An export that was measured: figures that a real one could have."""
    variants = [F16, Q8, Q4]
    found = CompareResult(
        export_id=exported, experiment_id="exp-1", metric="macro_f1", higher_is_better=True, n=100, reference="f16",
        variants=variants, skipped={"safetensors-merged": "it is a part of another format"}, pareto=frontier(variants),
        recommended=recommended(variants, higher_is_better=True).variant, seconds=1.0,
    )  # fmt: skip
    with transaction() as session:
        session.get_one(Export, exported).comparison = found.model_dump(mode="json")
    return exported


def run(*words):
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def client():
    with TestClient(create_app(with_worker=False), base_url="http://localhost", raise_server_exceptions=False) as made:
        yield made


def test_what_was_measured_is_shown_again_without_measuring(compared):
    lines = run("export", "compare", compared).stdout.splitlines()
    assert lines[1].split()[:3] == ["f16", "*", "270.0"] and "-0.050" in lines[3]
    assert "not measured: safetensors-merged: it is a part of another format" in lines
    assert "take q4: it is the smallest that is not worse than the reference" in lines


def test_a_limit_changes_what_is_taken_and_says_why_not_the_others(compared):
    lines = run("export", "compare", compared, "--max-mb", "200", "--min-speed", "50").stdout.splitlines()
    assert "take q8: of those within the limits it is nearest to the trained model" in lines
    assert "  f16: 270 MB, the limit is 200" in lines
    none = json.loads(run("export", "compare", compared, "--max-mb", "1", "--json").stdout)
    assert none["recommendation"]["variant"] is None and set(none["recommendation"]["left_out"]) == {"f16", "q8", "q4"}


def test_over_http_it_is_refused_until_it_was_measured(client, exported):
    refused = client.get(f"/api/exports/{exported}/compression")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_compared")
    assert client.get("/api/exports/export-9/compression").json()["code"] == "unknown_run"


def test_over_http_the_figures_come_with_what_to_take(client, compared):
    found = client.get(f"/api/exports/{compared}/compression", params={"min_tokens_per_second": 50}).json()
    assert [one["variant"] for one in found["variants"]] == ["f16", "q8", "q4"] and found["pareto"] == ["f16", "q8", "q4"]
    assert found["recommendation"]["variant"] == "q8"
    queued = client.post(f"/api/exports/{compared}/compare", json={"rows": 5})
    assert queued.status_code == 202 and queued.json()["request"] == {"export": compared, "rows": 5}


def test_a_model_is_verified_link_by_link(exported, project, client):
    whole = run("model", "verify", exported)
    links = whole.stdout.partition("\n\n")[0].splitlines()
    assert whole.exit_code == 0 and whole.stdout.count("holds") == len(links) - 1
    with (project_folder(project) / "exports" / exported / "README.md").open("a") as card:
        card.write("better than it is")
    broken = run("model", "verify", exported)
    assert broken.exit_code == 1 and "passport_broken" in broken.stderr and "README.md" in broken.stderr
    found = client.get(f"/api/models/{exported}/passport").json()
    assert (found["whole"], found["reason_code"], found["broken"]["link"]) == (False, "passport_broken", "file")
    assert run("model", "verify", "model-1").exit_code == 2
