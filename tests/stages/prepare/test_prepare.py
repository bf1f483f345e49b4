"""Stage 6: a frozen manifest, whatever the rows are."""

import orjson
import pytest

from brewslm.errors import StageError
from brewslm.rows.manifest import OutputSchema
from brewslm.rows.placement import placements
from brewslm.stages.prepare.adapters import adapter_named
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json, write_atomic
from brewslm.store.tables import RowFileState
from tests.stages.prepare.preparing import data, events, failure, prepare, rejected
from tests.synthetic import add_rows, reviews


def test_rows_are_split_frozen_and_read_back_through_the_manifest(project):
    ids = add_rows(project, reviews(100))
    result = prepare(project)
    prepared = data(project, result)
    train, dev, held_out = prepared.train(), prepared.dev(), prepared.eval()
    assert result["rows"] == {"train": len(train), "dev": len(dev), "eval": len(held_out)} == {"train": 70, "dev": 10, "eval": 20}
    assert sorted(row.row_id for row in (*train, *dev, *held_out)) == sorted(ids)
    manifest = prepared.manifest
    assert (manifest.task_profile, manifest.adapter_preset) == ("classification", "classification-label")
    assert manifest.output_schema.model_dump() == {
        "scoring_mode": "label",
        "labels": ["negative", "positive"],
        "entity_types": [],
        "fields": [],
    }
    assert manifest.imports == ["import-1"]
    assert [row.payload["label"] for row in held_out].count("positive") == 10
    assert events(project) == [
        (
            "dataset_prepared",
            {
                "manifest_version": 1,
                "manifest_sha256": result["sha256"],
                "task_profile": "classification",
                "rows": result["rows"],
                "ledger": {"rows_in": 100, "rows_out": 100},
            },
        )
    ]


def test_the_same_rows_and_seed_give_the_same_files(project):
    add_rows(project, reviews(50))
    first, second, other = prepare(project), prepare(project), prepare(project, seed=1)
    files = [{name: split.sha256 for name, split in data(project, one).manifest.splits.items()} for one in (first, second, other)]
    assert files[0] == files[1] != files[2]


def test_every_version_stays_and_the_newest_is_linked(project):
    add_rows(project, reviews(50))
    first, second = prepare(project), prepare(project, eval_rows=5)
    assert [first["version"], second["version"]] == [1, 2]
    folder = project_folder(project) / "prepared"
    assert read_json(folder / "manifest.json")["version"] == 2
    assert not (folder / "train.jsonl").readlink().is_absolute()
    assert (folder / "eval.jsonl").read_bytes().count(b"\n") == 5
    assert len(data(project, first).eval()) == 10


def test_each_row_that_was_left_out_is_named_with_its_reason(project):
    texts = reviews(40)
    twins = [{"text": f" {row['text'].upper()} ", "label": row["label"]} for row in texts]
    add_rows(project, texts)
    twin_ids = add_rows(project, twins, source="twins")
    other = add_rows(project, [{"question": "who are you", "answer": "a model"}], source="other")
    empty = add_rows(project, [{"text": "what is it", "label": " "}], source="empty")
    long = add_rows(project, [{"text": "lovely " * 600, "label": "positive"}], source="long")
    chunk = {"row_id": "rchunk-1", "document": 1, "text": "cleaned text"}
    write_atomic(project_folder(project) / "cleaned" / "chunks.jsonl", orjson.dumps(chunk) + b"\n")
    result = prepare(project, train_rows=20, dev_rows=4, eval_rows=10)
    assert result["rows"] == {"train": 20, "dev": 4, "eval": 10}
    counts = {
        "profile_mismatch": 2, "nothing_supervised": 1, "over_length": 1, "duplicate_row": 40, "split_limit": 6,
    }  # fmt: skip
    assert result["ledger"] == {"rows_in": 84, "rows_out": 34, "rejected": counts}
    named = rejected(project)
    assert len(named) == 50
    assert [named[row_id] for row_id in (other[0], empty[0], long[0], "rchunk-1")] == [
        "profile_mismatch", "nothing_supervised", "over_length", "profile_mismatch",
    ]  # fmt: skip
    assert {named[row_id] for row_id in twin_ids} == {"duplicate_row"}


def test_a_rows_place_is_found_in_every_version(project):
    ids = add_rows(project, reviews(20))
    result = prepare(project)
    prepare(project, train_rows=1, dev_rows=1, eval_rows=1)
    folder = project_folder(project) / "prepared"
    prepared = data(project, result)
    for split, rows in (("train", prepared.train()), ("dev", prepared.dev()), ("eval", prepared.eval())):
        assert {placements(folder, row.row_id)[0].split for row in rows} == {split}
    second = [placements(folder, row_id)[1] for row_id in ids]
    assert sorted(str(place.split) for place in second if place.reason is None) == ["dev", "eval", "train"]
    assert {place.reason for place in second if place.split is None} == {"split_limit"}
    assert placements(folder, "r0") == []


def test_the_profile_that_was_asked_for_is_prepared(project):
    add_rows(project, reviews(30))
    spans = {"entities": [{"type": "Number", "start": 0, "end": 1, "text": "1"}]}
    add_rows(
        project, [{"text": f"1 street {n}", "entities_json": spans} for n in range(10)], source="spans", import_run="import-2"
    )
    manifest = data(project, prepare(project, task_profile="structured_extraction")).manifest
    assert manifest.output_schema == OutputSchema(scoring_mode="span_set", entity_types=["Number"])
    assert manifest.ledger.rejected == {"profile_mismatch": 30}
    assert manifest.imports == ["import-2"]


def test_rows_beyond_the_committed_length_are_not_there(project):
    add_rows(project, reviews(20))
    with (project_folder(project) / "synthetic" / "synthetic.jsonl").open("ab") as file:
        file.write(b'{"row_id": "torn')
    assert prepare(project)["ledger"]["rows_in"] == 20


def test_without_rows_there_is_nothing_to_prepare(project):
    assert failure(project).reason.code == "nothing_to_prepare"
    assert not (project_folder(project) / "prepared").exists()
    assert [code for code, _ in events(project)] == ["dataset_prep_failed"]
    assert events(project)[0][1]["problem"] == "nothing_to_prepare"


def test_too_few_rows_of_the_kind_leave_nothing_behind(project):
    add_rows(project, reviews(20))
    for asked in ({"task_profile": "qa"}, {"eval_rows": 15, "dev_rows": 5}, {"task_profile": "poetry"}):
        failure(project, **asked)
    assert (
        list((project_folder(project) / "prepared").iterdir()) == [] if (project_folder(project) / "prepared").exists() else True
    )
    with reading() as session:
        assert session.get(RowFileState, (project, "synthetic")).row_count == 20


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([{"question": "the same" + " " * n, "answer": "a"} for n in range(9)], "nothing_to_prepare", "1 can be used"),
        ([{"text": f"film {n}", "label": "good"} for n in range(30)], "one_label", "the one label is 'good'"),
        ([{"question": "who", "answer": "I"}], "nothing_to_prepare", "two are the least"),
        ([{"question": "who", "answer": "  "}] * 2, "nothing_to_prepare", "0 can be used"),
    ],
)
def test_too_little_to_learn_from_is_a_clear_problem_and_nothing_is_written(project, rows, code, said):
    add_rows(project, rows)
    error = failure(project)
    assert error.reason.code == code and said in str(error)
    assert not list((project_folder(project) / "prepared").glob("*"))
    told, payload = events(project)[0]
    assert (told, payload["problem"], payload.keys()) == ("dataset_prep_failed", code, {"problem", "error", "signature"})


def test_a_profile_without_a_preset_is_refused():
    with pytest.raises(StageError, match="poetry is not known"):
        adapter_named("auto", lambda: "", "poetry")
