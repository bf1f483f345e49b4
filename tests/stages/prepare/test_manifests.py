"""Manifest versions: immutable, described, listed, compared, taken into use again; and what else is in one."""

import json

import pytest
from huggingface_hub import DatasetCard

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model
from brewslm.models.loading import load_tokenizer
from brewslm.models.templates import example_ids
from brewslm.observe.manifests import manifest, manifest_diff, manifests
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import ActivateRequest
from brewslm.stages.projects import ChangeRequest
from brewslm.store.files import project_folder, read_json
from tests.stages.prepare.preparing import data, events, failure, prepare, rejected
from tests.synthetic import add_rows, own_words, reviews


def activate(project, version):
    return call("test", ActivateRequest(project=project, version=version))


def test_versions_are_listed_and_an_earlier_one_can_be_used_again(project):
    add_rows(project, reviews(50))
    prepare(project)
    prepare(project, eval_rows=5)
    assert [(one.version, one.is_active) for one in manifests(project)] == [(2, True), (1, False)]
    assert activate(project, 1).result == {"version": 1, "former_version": 2}
    assert [(one.version, one.is_active) for one in manifests(project)] == [(2, False), (1, True)]
    assert read_json(project_folder(project) / "prepared" / "manifest.json")["version"] == 1
    assert call("test", PreflightRequest(project=project)).result["plan"]["rows"] == 35
    assert events(project)[-1][0] == "manifest_activated" and events(project)[-1][1]["former_version"] == 2
    assert prepare(project)["version"] == 3


def test_a_version_that_is_not_there_or_was_changed_is_not_taken_into_use(project):
    add_rows(project, reviews(50))
    prepare(project)
    prepare(project, eval_rows=5)
    (project_folder(project) / "prepared" / "v1" / "README.md").write_text("a better card")
    for version, code in ((9, "not_prepared"), (1, "manifest_mismatch")):
        with pytest.raises(RunFailed) as refused:
            activate(project, version)
        assert refused.value.error.reason.code == code
    assert manifests(project)[0].is_active
    with pytest.raises(StageError, match=r"README\.md|prepared file"):
        manifest(project, 1)


def test_two_versions_are_compared_row_by_row(project):
    rows = reviews(60)
    add_rows(project, rows[:50])
    prepare(project)
    add_rows(project, rows[50:], source="more", import_run="import-2")
    prepare(project)
    prepare(project, seed=7)
    grown, drawn_anew = manifest_diff(project, 1, 2), manifest_diff(project, 2, 3)
    assert (grown.added, grown.removed, grown.moved) == (10, 0, 0)
    assert grown.changed["imports"] == (["import-1"], ["import-1", "import-2"])
    assert drawn_anew.moved == len(drawn_anew.moved_row_ids) > 5 and drawn_anew.changed["seed"] == (42, 7)


def test_the_manifest_says_for_which_model_rows_were_measured_and_preflight_refuses_another(project, tiny_base, tmp_path):
    add_rows(project, reviews(100))
    result = prepare(project)
    measured, base = data(project, result).manifest.base_model, base_model(f"path:{tiny_base}")
    assert (measured.tokenizer_sha256, measured.template_sha256) == (base.tokenizer_sha256, base.template_sha256)
    other = tmp_path / "other"
    other.mkdir()
    for file in tiny_base.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    tokenizer["model"]["merges"].pop()
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    call("test", ChangeRequest(project=project, base_model=f"path:{other}"))
    found = call("test", PreflightRequest(project=project)).result
    assert not found["passed"] and found["findings"][0]["code"] == "tokenizer_mismatch"
    prepare(project)
    assert "tokenizer_mismatch" not in {one["code"] for one in call("test", PreflightRequest(project=project)).result["findings"]}


def test_lengths_are_those_of_training_and_the_longest_row_is_the_limit(project, tiny_base):
    from brewslm.handlers import handler_for

    ids = add_rows(project, [{"text": f"a lovely film {own_words(n)}" * (1 + n % 4), "label": "ab"[n % 2]} for n in range(60)])
    first = prepare(project)
    handler, tokenizer = handler_for("classification", data(project, first).manifest.output_schema), load_tokenizer(tiny_base)
    rows = [row for split in ("train", "eval") for row in data(project, first).rows(split)]
    counts = {
        row.row_id: len(example_ids(tokenizer, handler.prompt(row.payload), handler.completion(row.payload))[0]) for row in rows
    }
    statistics = manifest(project, 1).statistics["splits"]
    assert max(one["tokens"]["most"] for one in statistics.values()) == max(counts.values())
    assert sum(one["tokens"]["total"] for one in statistics.values()) == sum(counts.values())
    limit = sorted(counts.values())[30]
    prepare(project, max_tokens=limit)
    assert {one for one, why in rejected(project, 2).items() if why == "over_length"} == {
        one for one in ids if counts[one] > limit
    }


def test_the_card_is_one_that_the_hub_reads_and_holds_no_row(project):
    add_rows(project, [{**row, "text": f"{row['text']} secret"} for row in reviews(100)])
    prepare(project)
    found = manifest(project)
    card = DatasetCard(found.card)
    assert card.data.task_categories == ["text-classification"] and card.data.size_categories == ["n<1K"]
    assert card.data.configs[0]["data_files"][0] == {"split": "train", "path": "train.jsonl"}
    assert "secret" not in found.card and "| train | 70 |" in found.card
    assert found.statistics["splits"]["train"]["labels"] == {"negative": 35, "positive": 35}


def test_personal_data_is_counted_or_kept_out(project):
    rows = [{**row, "text": f"{row['text']} by ana{n}@example.org"} if n % 5 == 0 else row for n, row in enumerate(reviews(50))]
    ids = add_rows(project, rows)
    counted = prepare(project)
    assert counted["pii_findings"] == {"email": 10} and "email in 10 rows" in counted["notes"][-1]
    blocked = prepare(project, pii="block")
    assert blocked["pii_findings"] == {}
    assert {one for one, why in rejected(project, 2).items() if why == "pii_block"} == set(ids[::5])
    assert prepare(project, pii="off")["pii_findings"] == {}


@pytest.mark.parametrize("name", ["train.jsonl", "eval.jsonl", "rejected.jsonl", "train.jsonl.index", "statistics.json"])
def test_a_changed_file_of_the_manifest_in_use_stops_the_next_prepare_unless_the_split_is_drawn_anew(project, name):
    add_rows(project, reviews(50))
    prepare(project)
    path = project_folder(project) / "prepared" / "v1" / name
    path.write_bytes(path.read_bytes() + b" ")
    error = failure(project)
    assert (error.reason.code, error.reason.file) == ("manifest_mismatch", name) and "--resplit" in error.next_step
    assert prepare(project, resplit=True)["version"] == 2


def test_the_published_schema_is_that_of_the_code_and_a_manifest_keeps_it(project):
    from pathlib import Path

    import jsonschema

    from brewslm.rows.manifest import Manifest

    published = json.loads((Path(__file__).parents[3] / "docs" / "data-manifest.schema.json").read_text())
    assert published == Manifest.model_json_schema(), "run: python -m brewslm.rows.manifest > docs/data-manifest.schema.json"
    add_rows(project, reviews(50))
    written = read_json(project_folder(project) / prepare(project)["path"])
    jsonschema.validate(written, published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "leakage": None}, published)
