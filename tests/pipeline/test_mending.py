"""Undoing an import, mending what was rejected, and using a mapping again."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from brewslm.errors import StageError
from brewslm.observe.imports import configs, imports, rejected_rows
from brewslm.observe.rowpassport import row_passport
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.pipeline.mending import reimport
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import RowFileState, RunEvent
from tests.synthetic import own_words

FIELD_MAP = {"text": "text", "label": "label", "allowed_labels": "good,bad"}
ROWS = [{"text": f"a film, {own_words(n)}", "label": "good" if n % 2 else "bad"} for n in range(20)]
BROKEN = [b'{"text": "never closed, "label": "good"}', b'{"text": "a typo", "label": "godo"}', b'{"text": " ", "label": "bad"}']


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([*map(orjson.dumps, ROWS), *BROKEN]))
    return path


def imported(project: int, path: Path, **more: Any) -> dict[str, Any]:
    fields = {"mapper": "label_to_classification", "field_map": FIELD_MAP, "commit": True} | more
    run = import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", **fields)).run
    assert run is not None and run.result is not None
    return run.result | {"id": run.task_id}


def prepared(project: int) -> set[str]:
    """The texts of a new manifest."""
    call("test", PrepareRequest(project=project))
    folder = project_folder(project) / "prepared"
    lines = [line for name in ("train", "eval") for line in (folder / f"{name}.jsonl").read_bytes().splitlines()]
    return {orjson.loads(line)["payload"]["text"] for line in lines}


def test_an_undone_import_is_left_out_by_prepare_and_can_be_imported_again(project: int, source: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_bytes(
        b"".join(orjson.dumps(row | {"text": f"another film, {own_words(n + 99)}"}) + b"\n" for n, row in enumerate(ROWS))
    )
    first, second = imported(project, source), imported(project, more)
    assert len(prepared(project)) == 40
    undone = call("test", UndoRequest(import_run=first["id"]))
    assert undone.result == {"import_run": "import-1", "rows": 20}
    assert {text.startswith("another") for text in prepared(project)} == {True}
    assert [(one.import_run, one.undone_by) for one in imports(project)] == [("import-1", "undo-1"), ("import-2", None)]
    with reading() as session:
        assert session.get(RowFileState, (project, "synthetic")).row_count == 20
        event = session.query(RunEvent).filter_by(reason_code="dataset_import_undone").one()
    assert orjson.loads(event.payload) == {"import_run": "import-1", "source": f"jsonl:{source}", "rows": 20}
    again = imported(project, source)
    assert (again["accepted_count"], again["id"]) == (20, "import-3")
    assert len(prepared(project)) == 40 and second["accepted_count"] == 20


def test_a_row_that_was_undone_and_came_back_tells_both(project: int, source: Path) -> None:
    imported(project, source)
    with (project_folder(project) / "synthetic" / "synthetic.jsonl").open("rb") as lines:
        row = orjson.loads(lines.readline())["row_id"]
    call("test", UndoRequest(import_run="import-1"))
    imported(project, source)
    assert [(fate.run_id, fate.undone_by) for fate in row_passport(row).fates] == [("import-1", "undo-1"), ("import-2", None)]


@pytest.mark.parametrize(("wanted", "code"), [("import-1", "run_conflict"), ("import-9", "unknown_run")])
def test_what_was_undone_or_never_was_can_not_be_undone(project: int, source: Path, wanted: str, code: str) -> None:
    imported(project, source)
    call("test", UndoRequest(import_run="import-1"))
    with pytest.raises((RunFailed, StageError)) as refused:
        call("test", UndoRequest(import_run=wanted))
    error = refused.value.error if isinstance(refused.value, RunFailed) else refused.value
    assert error.reason.code == code


def test_rejected_rows_go_out_are_mended_and_come_in_again(project: int, source: Path, tmp_path: Path) -> None:
    imported(project, source)
    out = list(rejected_rows("import-1"))
    assert [row["reason"] for row in out] == ["invalid_json", "label_not_allowed", "empty_text"]
    assert out[0]["text"] == BROKEN[0].decode() and "text" not in out[1]
    assert [row["reason"] for row in rejected_rows("import-1", {"empty_text"})] == ["empty_text"]

    out[0]["text"] = '{"text": "closed now", "label": "good"}'
    out[1]["raw"]["label"] = "good"
    mended = tmp_path / "mended.jsonl"
    mended.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in out))
    result = reimport("test", "import-1", f"mended:{mended}").result or {}
    assert result["ledger"] == {"rows_in": 3, "rows_out": 2, "rejected": {"empty_text": 1}}
    (_, second) = imports(project)
    assert (second.parent_import, second.config_id, second.mapper) == ("import-1", 2, "label_to_classification")
    assert {"closed now", "a typo"} < prepared(project)

    (rejected,) = row_passport(out[0]["row_id"]).fates
    assert rejected.reason == "invalid_json" and len(rejected.mended_as) == 1
    assert rejected.raw == {"head": BROKEN[0].decode(), "byte_offset": source.read_bytes().index(BROKEN[0])}
    passport = row_passport(rejected.mended_as[0])
    assert passport.fates[0].parent == out[0]["row_id"] and passport.fates[0].payload == {"label": "good", "text": "closed now"}
    assert passport.origin.import_run == "import-2" and passport.splits

    again = reimport("test", "import-1", f"mended:{mended}").result or {}
    assert again["rejection_counts"] == {"empty_text": 1, "duplicate_row": 2}


def test_rows_that_nobody_mended_are_rejected_for_their_old_reason(project: int, source: Path, tmp_path: Path) -> None:
    imported(project, source)
    same = tmp_path / "same.jsonl"
    same.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rejected_rows("import-1")))
    result = reimport("test", "import-1", f"mended:{same}").result or {}
    assert result["rejection_counts"] == {"invalid_json": 1, "label_not_allowed": 1, "empty_text": 1}


def test_a_parent_that_was_not_rejected_is_refused_before_anything_is_kept(project: int, source: Path, tmp_path: Path) -> None:
    imported(project, source)
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_bytes(orjson.dumps({"row_id": "r0-1", "raw": {"text": "a", "label": "good"}}))
    with pytest.raises(StageError, match="not those of this import") as refused:
        reimport("test", "import-1", f"mended:{foreign}")
    assert "line 1: r0-1" in refused.value.where and len(imports(project)) == 1
    foreign.write_text("text,label\na,good\n")
    with pytest.raises(StageError, match="there are no mended rows in the file"):
        reimport("test", "import-1", f"mended:{foreign}")
    with pytest.raises(StageError, match="can't be reimported"):
        reimport("test", "import-1", f"jsonl:{source}")


def test_a_config_is_a_mapping_that_can_be_used_again(project: int, source: Path, tmp_path: Path) -> None:
    imported(project, source)
    (config,) = configs(project)
    assert (config.config_id, config.mapper, config.field_map) == (1, "label_to_classification", FIELD_MAP)
    more = tmp_path / "more.jsonl"
    more.write_bytes(b'{"text": "new", "label": "good"}\n{"text": "newer", "label": "other"}\n')
    result = imported(project, more, mapper=None, field_map={}, config=1)
    assert (result["accepted_count"], result["rejection_counts"]) == (1, {"label_not_allowed": 1})
    with pytest.raises(StageError, match="there is no config 7"):
        imported(project, more, mapper=None, field_map={}, config=7)
