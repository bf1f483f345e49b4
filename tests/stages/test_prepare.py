"""Stage 6: a frozen manifest, whatever the rows are."""

import orjson
import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.pipeline.execute import RunFailed, call
from brewslm.rows.manifest import PreparedData
from brewslm.rows.placement import placements
from brewslm.stages.prepare import PrepareRequest, adapter_for
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json, write_atomic
from brewslm.store.tables import RowFileState, RunEvent
from tests.synthetic import add_rows, reviews


def prepare(project, **asked):
    return call("test", PrepareRequest(project=project, **asked)).result


def data(project, result):
    return PreparedData(project_folder(project) / result["path"], result["sha256"])


def failure(project, **asked):
    with pytest.raises(RunFailed) as failed:
        prepare(project, **asked)
    return failed.value.error


def events(project):
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.project_id == project))
        return [(event.reason_code, orjson.loads(event.payload)) for event in found]


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
    }
    assert manifest.sources == ["import-1"]
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
    kept = add_rows(project, texts)
    twin_ids = add_rows(project, twins, source="twins")
    other = add_rows(project, [{"question": "who are you", "answer": "a model"}], source="other")
    chunk = {"row_id": "rchunk", "document": 1, "text": "cleaned text"}
    write_atomic(project_folder(project) / "cleaned" / "chunks.jsonl", orjson.dumps(chunk) + b"\n")
    result = prepare(project, train_rows=20, dev_rows=4, eval_rows=16)
    rejected = result["ledger"]["rejected"]
    assert result["rows"] == {"train": 20, "dev": 4, "eval": 16}
    assert rejected["other_task"] == rejected["nothing_supervised"] == 1
    assert rejected["leak"] > 0 and rejected["split_limit"] > 0
    assert result["ledger"]["rows_in"] == 82 == result["ledger"]["rows_out"] + sum(rejected.values())
    folder = project_folder(project) / "prepared"
    lines = [orjson.loads(line) for line in (folder / "v1" / "rejected.jsonl").read_bytes().splitlines()]
    reasons = {line["row_id"]: line["reason"] for line in lines}
    assert len(lines) == sum(rejected.values())
    assert (reasons[other[0]], reasons["rchunk"]) == ("other_task", "nothing_supervised")
    text_of = dict(zip(kept + twin_ids, texts + texts, strict=True))
    sides = [
        {text_of[row.row_id]["text"] for row in rows}
        for rows in (data(project, result).train(), data(project, result).dev(), data(project, result).eval())
    ]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


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
    assert manifest.output_schema.model_dump() == {"scoring_mode": "span_set", "labels": [], "entity_types": ["Number"]}
    assert manifest.ledger.rejected == {"other_task": 30}
    assert manifest.sources == ["import-2"]


def test_rows_beyond_the_committed_length_are_not_there(project):
    add_rows(project, reviews(20))
    with (project_folder(project) / "synthetic" / "synthetic.jsonl").open("ab") as file:
        file.write(b'{"row_id": "torn')
    assert prepare(project)["ledger"]["rows_in"] == 20


def test_without_rows_there_is_nothing_to_prepare(project):
    assert failure(project).reason.code == "nothing_to_prepare"
    assert not (project_folder(project) / "prepared").exists()
    assert [code for code, _ in events(project)] == ["dataset_prepare_failed"]
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


def test_rows_that_all_say_the_same_leave_nothing_to_train_on(project):
    add_rows(project, [{"text": "the same" + " " * n, "label": "a"} for n in range(9)])
    assert "nothing is left to train on" in str(failure(project))
    assert not list((project_folder(project) / "prepared").glob("*"))


def test_a_profile_without_a_preset_is_refused():
    with pytest.raises(StageError, match="poetry is not known"):
        adapter_for("poetry")
