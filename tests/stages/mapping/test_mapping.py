import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.importing import dry_run
from brewslm.pipeline.runs import RunView
from brewslm.rows import RawRow, RowFile
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.mapping import CommitRequest, MapRequest, Preview
from brewslm.stages.mapping.rows import sampled
from brewslm.store import tables
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder

ROWS: list[Any] = [
    {"text": "a lovely film", "label": "positive"},
    "not an object",
    {"text": "a dull film", "label": "negative"},
    {"text": "a dull film", "label": "negative"},
    {"text": " ", "label": "negative"},
    {"label": "negative"},
    {"text": "a film"},
    {"text": "a film", "label": "postive"},
    {"text": "a great film", "label": "positive"},
]
REJECTED = {
    "not_an_object": 1,
    "duplicate_row": 1,
    "empty_text": 1,
    "missing_text": 1,
    "missing_label": 1,
    "label_not_allowed": 1,
}
PLAIN = {"text": "text", "label": "label"}
FIELD_MAP = PLAIN | {"allowed_labels": "positive,negative"}


def ingested(project: int, path: Path, rows: list[Any]) -> str:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    locator = f"jsonl:{path}"
    call("test", IngestRequest(project=project, locator=locator))
    return locator


@pytest.fixture
def locator(project: int, tmp_path: Path) -> str:
    return ingested(project, tmp_path / "rows.jsonl", ROWS)


def fields(project: int, locator: str, /, **more: Any) -> dict[str, Any]:
    return {"project": project, "locator": locator, "mapper": "label_to_classification", "field_map": FIELD_MAP} | more


def previewed(project: int, locator: str, **more: Any) -> Preview:
    return dry_run(MapRequest(**fields(project, locator, **more)))


def committed(project: int, locator: str, /, **more: Any) -> RunView:
    return call("test", CommitRequest(**fields(project, locator, **more)))


def synthetic(project: int) -> list[dict[str, Any]]:
    with reading() as session:
        state = session.get(tables.RowFileState, (project, "synthetic"))
    file = RowFile(project_folder(project) / "synthetic" / "synthetic.jsonl")
    rows = list(file.rows([(0, state.committed_bytes if state else 0)]))
    assert len(rows) == (state.row_count if state else 0)
    return rows


def events(project: int) -> list[tables.RunEvent]:
    with reading() as session:
        return list(session.query(tables.RunEvent).filter_by(project_id=project).order_by(tables.RunEvent.sequence))


def test_every_row_is_accepted_or_rejected_with_its_reason(project: int, locator: str) -> None:
    run = committed(project, locator)
    assert run.task_id == "import-1" and run.result is not None
    assert run.result["ledger"] == {"rows_in": 9, "rows_out": 3, "rejected": REJECTED}
    rows = synthetic(project)
    assert [row["payload"]["text"] for row in rows] == ["a lovely film", "a dull film", "a great film"]
    assert list(rows[0]) == ["row_id", "task_profile", "payload", "source_id", "position", "mapper", "import_run"]
    rejected = RowFile(project_folder(project) / "rejected" / "import-1.jsonl")
    lines = list(rejected.rows())
    assert [line["position"] for line in lines] == [2, 4, 5, 6, 7, 8]
    assert {line["reason"] for line in lines} == set(REJECTED)
    assert rejected.find(lines[-1]["row_id"]) == lines[-1]
    assert lines[-1]["raw"] == {"text": "a film", "label": "postive"}


def test_the_event_of_a_commit_has_exactly_the_keys_of_the_page_and_no_rows_text(project: int, locator: str) -> None:
    result = committed(project, locator, confidence=0.9).result
    (event,) = events(project)
    assert (event.stage, event.severity, event.reason_code, event.run_id) == (
        "ingestion",
        "info",
        "dataset_import_run",
        "import-1",
    )
    assert orjson.loads(event.payload) == {
        "source": locator,
        "mapper": "label_to_classification",
        "accepted_count": 3,
        "rejected_count": 6,
        "rejection_counts": REJECTED,
        "written_path": "synthetic/synthetic.jsonl",
        "config_id": 1,
        "forced": False,
        "confidence": 0.9,
    }
    assert result is not None and result["config_id"] == 1 and "film" not in orjson.dumps(result).decode()


def test_the_dry_run_says_what_the_commit_then_does_and_writes_nothing(project: int, locator: str) -> None:
    folder = project_folder(project)
    before = sorted(folder.rglob("*"))
    preview = previewed(project, locator)
    assert sorted(folder.rglob("*")) == before and events(project) == []
    result = committed(project, locator).result or {}
    assert preview.ledger.model_dump() == result["ledger"]
    assert [row["payload"] for row in preview.accepted_sample] == [row["payload"] for row in synthetic(project)]
    assert previewed(project, locator).rejection_counts == REJECTED | {"duplicate_row": 4}


def test_dropped_reasons_leave_the_sample_and_stay_in_the_counts(project: int, locator: str) -> None:
    preview = previewed(project, locator, drop_reasons=["duplicate_row", "empty_text"])
    assert preview.rejection_counts == REJECTED
    shown = {row["reason"] for row in preview.rejected_sample}
    assert shown == set(REJECTED) - {"duplicate_row", "empty_text"}


def test_a_limit_draws_from_the_whole_source_and_accounts_for_what_it_drew(project: int, tmp_path: Path) -> None:
    rows = [{"text": f"film {n}", "label": "bad" if n < 900 else "good"} for n in range(1000)]
    sorted_by_label = ingested(project, tmp_path / "sorted.jsonl", [*rows, "broken"])
    preview = previewed(project, sorted_by_label, field_map=PLAIN, limit=100)
    assert (preview.ledger.rows_in, preview.source_rows, preview.drawn) == (100, 1001, "sample")
    assert set(preview.labels) == {"bad", "good"} and 75 < preview.labels["bad"] < 100
    result = committed(project, sorted_by_label, field_map=PLAIN, limit=100).result or {}
    assert result["ledger"] == preview.ledger.model_dump() and result["labels"] == preview.labels
    positions = [row["position"] for row in synthetic(project)]
    assert positions == sorted(positions) and max(positions) > 900
    everything = committed(project, sorted_by_label, field_map=PLAIN, limit=5000).result or {}
    assert everything["drawn"] == "all" and everything["rejection_counts"]["duplicate_row"] == len(positions)


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_sample_has_the_wanted_size_keeps_the_order_and_is_the_same_each_time(total: int, wanted: int) -> None:
    rows = [RawRow(n, {}) for n in range(total)]
    drawn = list(sampled(iter(rows), min(wanted, total), total))
    assert len(drawn) == min(wanted, total) and drawn == sorted(drawn, key=lambda row: row.position)
    assert drawn == list(sampled(iter(rows), min(wanted, total), total))


def test_one_label_alone_is_told(project: int, tmp_path: Path) -> None:
    locator = ingested(project, tmp_path / "one.jsonl", [{"text": "a", "label": "x"}, {"text": "b", "label": "x"}])
    assert "only one label came in, 'x'" in previewed(project, locator, field_map=PLAIN).notes[0]
    assert "only one label" in (committed(project, locator, field_map=PLAIN).result or {})["notes"][0]


def test_rows_of_before_the_content_hashes_were_kept_are_known_all_the_same(project: int, locator: str) -> None:
    committed(project, locator)
    for keys in (project_folder(project) / "synthetic" / "keys").iterdir():
        keys.unlink()
    (project_folder(project) / "synthetic" / "synthetic.jsonl.index").unlink()
    assert previewed(project, locator).rejection_counts == REJECTED | {"duplicate_row": 4}
    assert (committed(project, locator).result or {})["accepted_count"] == 0
    assert {path.stem for path in (project_folder(project) / "synthetic" / "keys").iterdir()} == {"import-1", "import-2"}


def test_a_row_that_is_mapped_in_another_way_is_the_same_row(project: int, locator: str) -> None:
    committed(project, locator)
    other = {"mapper": "text_only", "field_map": {"text": "text"}}
    assert previewed(project, locator, **other).rejection_counts["duplicate_row"] == 3 + 1


def test_the_same_source_committed_twice_doubles_nothing(project: int, locator: str) -> None:
    committed(project, locator)
    again = committed(project, locator).result or {}
    assert again["accepted_count"] == 0 and again["rejection_counts"]["duplicate_row"] == 4
    assert len(synthetic(project)) == 3 and again["config_id"] == 1


def test_an_edited_source_adds_only_its_new_rows(project: int, locator: str, tmp_path: Path) -> None:
    committed(project, locator)
    ingested(project, tmp_path / "rows.jsonl", [*ROWS, {"text": "a new film", "label": "positive"}])
    result = committed(project, locator).result or {}
    assert result["accepted_count"] == 1 and len(synthetic(project)) == 4


def test_another_mapping_is_another_config(project: int, locator: str) -> None:
    first = committed(project, locator).result or {}
    second = committed(project, locator, drop_reasons=["empty_text"]).result or {}
    assert (first["config_id"], second["config_id"]) == (1, 2)


def test_what_was_written_but_never_committed_is_neither_seen_nor_doubled(project: int, locator: str) -> None:
    with transaction() as session:  # the database refuses after the file was written, as if the machine had died there
        session.execute(text("CREATE TRIGGER broken BEFORE INSERT ON import_configs BEGIN SELECT RAISE(ABORT, 'no'); END"))
    with pytest.raises(RunFailed):
        committed(project, locator)
    with transaction() as session:
        session.execute(text("DROP TRIGGER broken"))
    file = project_folder(project) / "synthetic" / "synthetic.jsonl"
    assert file.stat().st_size > 0 and synthetic(project) == []
    assert previewed(project, locator).accepted_count == 3
    result = committed(project, locator).result or {}
    assert result["accepted_count"] == 3 and len(synthetic(project)) == 3
    assert file.stat().st_size == result["committed_bytes"]
    assert [event.reason_code for event in events(project)] == ["dataset_import_failed", "dataset_import_run"]


def test_a_torn_line_at_the_end_is_cut_before_the_next_commit(project: int, locator: str, tmp_path: Path) -> None:
    committed(project, locator)
    file = project_folder(project) / "synthetic" / "synthetic.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"row_id":"r0","payl')
    more = ingested(project, tmp_path / "more.jsonl", [{"text": "one more", "label": "positive"}])
    committed(project, more)
    assert [row["payload"]["text"] for row in synthetic(project)][-1] == "one more" and len(synthetic(project)) == 4


def test_a_run_that_was_killed_is_performed_again_from_the_beginning(project: int, locator: str) -> None:
    from brewslm.pipeline.execute import perform, queue

    run_id = queue("test", CommitRequest(**fields(project, locator))).task_id
    folder = project_folder(project)
    for name in ("synthetic/synthetic.jsonl", f"rejected/{run_id}.jsonl"):  # what the killed attempt left behind
        with RowFile(folder / name).append(0) as into:
            into.write({"row_id": "rleft"})
    with transaction() as session:
        session.get_one(tables.Run, run_id).state = "running"
    assert (perform(run_id).result or {})["accepted_count"] == 3
    assert len(synthetic(project)) == 3
    assert len(list(RowFile(folder / "rejected" / f"{run_id}.jsonl").rows())) == 6


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"field_map": {"text": "txt", "label": "label"}}, "column_missing"),
        ({"mapper": "label_to_classificaton"}, "unknown_mapper"),
        ({"field_map": FIELD_MAP | {"neutral_band": "x"}}, "invalid_request"),
        ({"locator": "jsonl:/never/ingested.jsonl"}, "source_not_found"),
    ],
)
def test_a_commit_that_can_not_be_is_told_as_a_failed_import_and_leaves_no_file(
    project: int, locator: str, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(RunFailed) as failed:
        committed(project, locator, **more)
    assert failed.value.error.reason.code == code
    (event,) = events(project)
    payload = orjson.loads(event.payload)
    assert event.reason_code == "dataset_import_failed" and event.severity == "error"
    assert payload["problem"] == code and payload["source"] == more.get("locator", locator)
    assert not (project_folder(project) / "synthetic").exists() and not (project_folder(project) / "rejected").exists()


def test_a_kept_copy_that_was_changed_is_not_mapped(project: int, locator: str) -> None:
    (copy,) = (project_folder(project) / "sources").iterdir()
    os.truncate(copy, 10)
    with pytest.raises(RunFailed) as failed:
        committed(project, locator)
    assert failed.value.error.reason.code == "source_changed"
    copy.unlink()
    with pytest.raises(RunFailed) as failed:
        committed(project, locator)
    assert "it is gone" in failed.value.error.problem()["detail"]


raw_rows = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"text": st.sampled_from(["a", "b", "c", " ", 1]), "label": st.sampled_from([0, 1, "", "odd"])}
    ),
    st.sampled_from([1, "text", None, []]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(raw_rows, min_size=1, max_size=15), st.one_of(st.none(), st.integers(1, 20)))
def test_the_ledger_closes_and_the_dry_run_agrees_for_any_rows(
    project: int, tmp_path: Path, rows: list[Any], limit: int | None
) -> None:
    rows = [{"text": "first", "label": 1}, *rows]
    locator = ingested(project, tmp_path / "any.jsonl", rows)
    mapping = {"limit": limit, "field_map": {"text": "text"} | ({"label": "label"})}
    if not any(isinstance(row, dict) and "label" in row for row in rows):
        return
    preview = previewed(project, locator, **mapping)
    before = len(synthetic(project))
    result = committed(project, locator, **mapping).result or {}
    assert result["ledger"] == preview.ledger.model_dump()
    assert result["accepted_count"] + result["rejected_count"] == min(len(rows), limit or len(rows))
    assert len(synthetic(project)) == before + result["accepted_count"]
    ids = [row["row_id"] for row in synthetic(project)]
    assert len(ids) == len(set(ids))


LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [b'{"text": "a", "label": "x"}', b'{"text": "a: b", "label": "y", "n": [1]}', b'{"text": "a", "label": "x",']
        ),
        st.builds(
            lambda text, label: orjson.dumps({"text": text, "label": label}),
            st.sampled_from(["a", "b", " ", 1]),
            st.none() | st.just("z"),
        ),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_every_line_of_any_bytes_is_accepted_or_rejected_by_a_reason(project: int, tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(b'{"text": "first", "label": "x"}\n' + b"\n".join(lines))
    written = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    try:
        call("test", IngestRequest(project=project, locator=f"jsonl:{path}"))
    except RunFailed as refused:  # as a whole it is no text
        assert refused.error.reason.code == "source_binary"
        return
    preview = previewed(project, f"jsonl:{path}", field_map=PLAIN)
    result = committed(project, f"jsonl:{path}", field_map=PLAIN).result or {}
    assert result["accepted_count"] + sum(result["rejection_counts"].values()) == len(written)
    assert result["ledger"] == preview.ledger.model_dump() and result["labels"] == preview.labels
    rejected = RowFile(project_folder(project) / result["rejected_path"])
    assert sum(1 for _ in rejected.rows()) == result["rejected_count"]
