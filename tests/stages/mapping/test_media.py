"""Pictures and recordings of rows, from the dry run to the undo."""

import hashlib
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from brewslm.observe.rowpassport import row_passport
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.importing import dry_run
from brewslm.processes.context import Cancelled, DirectContext
from brewslm.rows import RowFile
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.mapping import CommitRequest, MapRequest, commit, resolve
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder
from brewslm.store.records import Records
from tests.media.made import picture, tone
from tests.stages.mapping.test_mapping import synthetic

BAD = {
    "broken.png": "media_corrupt",
    "none.png": "media_missing",
    "../secret.png": "media_outside",
    "note.txt": "media_format",
    "https://example.org/a.png": "media_address",
}
MAPPING = {"mapper": "image_text", "field_map": {"image": "image", "text": "answer", "prompt": "question"}}


def rows_of(names, question="what?"):
    return [{"image": name, "question": question, "answer": "a thing"} for name in names]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "in").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "in/b.png", "c.png")):
        (folder / name).write_bytes(picture(seed))
    (folder / "same.png").write_bytes(picture(0))
    (folder / "broken.png").write_bytes(picture(0)[:-20])
    (folder / "note.txt").write_text("a note")
    (tmp_path / "secret.png").write_bytes(picture(9))
    return folder


def request_for(project: int, folder, rows, name="rows.jsonl", **more: Any) -> dict[str, Any]:
    (folder / name).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    locator = f"jsonl:{folder / name}"
    call("test", IngestRequest(project=project, locator=locator))
    return {"project": project, "locator": locator} | MAPPING | more


def media(project):
    return sorted(path.stem for path in (project_folder(project) / "media").rglob("*") if path.is_file())


def test_good_files_come_in_and_each_bad_one_is_a_rejected_row_with_its_reason(project, pictures):
    rows = rows_of(["a.png", *BAD, "in/b.png", "same.png"])
    request = request_for(project, pictures, rows)
    preview = dry_run(MapRequest(**request))
    assert not (project_folder(project) / "media").exists()
    result = call("test", CommitRequest(**request)).result
    wanted = dict.fromkeys(BAD.values(), 1) | {"duplicate_row": 1}
    assert result["ledger"] == {"rows_in": 8, "rows_out": 2, "rejected": wanted} == preview.ledger.model_dump()
    assert [row["payload"] for row in preview.accepted_sample] == [row["payload"] for row in synthetic(project)]
    first, second = (row["payload"]["image"] for row in synthetic(project))
    assert first.keys() == {"path", "sha256", "bytes", "width", "height"} and (first["width"], first["height"]) == (12, 8)
    assert media(project) == sorted([first["sha256"], second["sha256"]])
    assert (project_folder(project) / second["path"]).read_bytes() == picture(1)
    lines = RowFile(project_folder(project) / "rejected" / "import-1.jsonl").rows()
    assert {line["raw"]["image"]: line["reason"] for line in lines} == BAD | {"same.png": "duplicate_row"}


def test_the_passport_tells_the_files_facts(project, pictures):
    call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png"]))))
    (row,) = synthetic(project)
    (fate,) = row_passport(row["row_id"]).fates
    assert fate.payload["image"]["width"] == 12 and fate.payload["image"]["path"].startswith("media/")


def test_undoing_an_import_forgets_the_files_that_no_other_row_names(project, pictures):
    one = call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png", "in/b.png"]))))
    call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png", "c.png"], "another?"), "more.jsonl")))
    assert len(media(project)) == 3
    call("test", UndoRequest(import_run=one.task_id))
    kept = {hashlib.sha256(picture(seed)).hexdigest() for seed in (0, 2)}
    assert media(project) == sorted(kept)
    again = call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png", "in/b.png"])))).result
    assert again["accepted_count"] == 2 and len(media(project)) == 3


def test_a_file_of_a_frozen_manifest_outlives_the_undo(project, pictures):
    request = request_for(project, pictures, rows_of(["a.png", "in/b.png", "c.png"]))
    one = call("test", CommitRequest(**request))
    call("test", PrepareRequest(project=project))
    call("test", UndoRequest(import_run=one.task_id))
    assert len(media(project)) == 3


def test_a_commit_that_fails_takes_its_files_back_and_only_them(project, pictures):
    call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png"]))))
    before = media(project)
    request = request_for(project, pictures, rows_of(["a.png", "c.png"], "another?"), "more.jsonl")
    with reading() as session:
        job = resolve(CommitRequest(**request), Records(session, "import-2", project, "test"))
    with pytest.raises(Cancelled):
        commit.run(job, DirectContext(project_folder(project), cancelled=lambda: True))
    assert media(project) == before


def test_an_undo_that_is_refused_forgets_nothing(project, pictures):
    one = call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png"]))))
    with transaction() as session:
        session.execute(text("CREATE TRIGGER broken BEFORE UPDATE ON imports BEGIN SELECT RAISE(ABORT, 'no'); END"))
    with pytest.raises(RunFailed):
        call("test", UndoRequest(import_run=one.task_id))
    assert len(media(project)) == 1


def test_mended_rows_find_their_files_beside_the_first_source(project, pictures, tmp_path):
    from brewslm.pipeline.mending import planned_reimport

    one = call("test", CommitRequest(**request_for(project, pictures, rows_of(["a.png", "none.png"]))))
    (line,) = RowFile(project_folder(project) / "rejected" / "import-1.jsonl").rows()
    mended = tmp_path / "mended.jsonl"
    mended.write_bytes(orjson.dumps({"row_id": line["row_id"], "raw": line["raw"] | {"image": "c.png"}}) + b"\n")
    result = call("test", planned_reimport("test", one.task_id, f"mended:{mended}")).result
    assert result["accepted_count"] == 1 and len(media(project)) == 2


def test_recordings_come_in_with_their_seconds(project, tmp_path):
    (tmp_path / "a.wav").write_bytes(tone(seconds=0.5, rate=16000))
    (tmp_path / "cut.wav").write_bytes(tone(seconds=0.5)[:-100])
    rows = [{"audio": name, "transcript": "a tone"} for name in ("a.wav", "cut.wav")]
    mapping = {"mapper": "audio_transcript", "field_map": {"audio": "audio", "transcript": "transcript"}}
    result = call("test", CommitRequest(**request_for(project, tmp_path, rows, **mapping))).result
    assert result["rejection_counts"] == {"media_corrupt": 1}
    (row,) = synthetic(project)
    assert (row["payload"]["audio"]["seconds"], row["payload"]["audio"]["sample_rate"]) == (0.5, 16000)
