"""Prepare with pictures: the file decides which rows belong together, not what its path looks like."""

import orjson
import pytest

from brewslm.pipeline.execute import call
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.mapping import CommitRequest
from brewslm.store.files import project_folder
from tests.media.made import picture
from tests.stages.prepare.preparing import data, prepare, rejected, sides

QUESTIONS = {"which colour?": "red", "is it large?": "yes", "is it round?": "yes"}
FIELDS = {"image": "image", "text": "answer", "prompt": "question"}


@pytest.fixture
def asked(project, tmp_path):
    """20 pictures, three questions each; two of them with the same answer."""
    rows = []
    for seed in range(20):
        (tmp_path / f"p{seed}.png").write_bytes(picture(seed))
        rows += [
            {"image": f"p{seed}.png", "question": asked, "answer": said, "set": f"s{seed % 5}"}
            for asked, said in QUESTIONS.items()
        ]
    (tmp_path / "copy.png").write_bytes(picture(0))
    rows.append({"image": "copy.png", "question": "what else?", "answer": "no", "set": "s3"})
    (tmp_path / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    locator = f"jsonl:{tmp_path / 'rows.jsonl'}"
    call("test", IngestRequest(project=project, locator=locator))
    call("test", CommitRequest(project=project, locator=locator, mapper="image_text", field_map=FIELDS))
    return project


def test_all_questions_about_a_picture_stand_on_one_side_and_equal_answers_are_no_duplicates(asked):
    result = prepare(asked, eval_rows=15, dev_rows=6, pii="block")
    assert result["ledger"]["rows_out"] == 61 and result["pii_findings"] == {}
    found = data(asked, result)
    held = {row.payload["image"]["sha256"] for row in found.rows("eval")}
    trained = {row.payload["image"]["sha256"] for row in found.rows("train")}
    assert held and trained and not held & trained
    assert found.manifest.leakage.equal_texts == found.manifest.leakage.near_duplicates == 0


def test_a_copy_of_a_held_out_picture_in_another_group_is_a_leak(asked):
    result = prepare(asked, group_by="set", eval_rows=12, dev_rows=0)
    sides_of = {
        side: {data_row.payload["image"]["sha256"] for data_row in data(asked, result).rows(side)} for side in ("train", "eval")
    }
    assert not sides_of["train"] & sides_of["eval"]
    assert set(rejected(asked).values()) <= {"leak"} and len(sides(asked, result)) + len(rejected(asked)) == 61


def test_rows_are_read_with_whole_paths_that_are_not_written(asked):
    result = prepare(asked)
    row = data(asked, result).train()[0]
    assert row.payload["image"]["path"].startswith(str(project_folder(asked) / "media"))
    assert str(project_folder(asked)) not in (project_folder(asked) / "prepared" / "v1" / "train.jsonl").read_text()
