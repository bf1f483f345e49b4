import hashlib
from pathlib import Path

import pytest

from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.runs import RunView
from brewslm.stages.ingest import IngestRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import source_of
from brewslm.store.tables import RunEvent, Source

CONTENT = b'{"text": "a", "label": 1}\n{broken\n{"text": "b", "label": 0}\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(CONTENT)
    return path


def ingest(project: int, path: Path, scheme: str = "jsonl") -> RunView:
    return call("test", IngestRequest(project=project, locator=f"{scheme}:{path}"))


def sources() -> list[Source]:
    with reading() as session:
        return list(session.query(Source).order_by(Source.id))


def test_a_source_is_kept_under_its_hash_and_its_rows_are_accounted_for(project: int, source: Path) -> None:
    result = ingest(project, source).result
    assert result is not None
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (result["content_hash"], result["path"]) == (digest, f"sources/{digest[:16]}.jsonl")
    assert result["ledger"] == {"rows_in": 3, "rows_out": 2, "rejected": {"invalid_json": 1}}
    (kept,) = sources()
    assert (kept.id, kept.row_count, kept.sentinel_counts, kept.size_bytes) == (
        result["source_id"],
        2,
        {"invalid_json": 1},
        len(CONTENT),
    )
    assert (project_folder(project) / kept.path).read_bytes() == CONTENT


def test_ingest_writes_no_event(project: int, source: Path) -> None:
    ingest(project, source)
    with reading() as session:
        assert session.query(RunEvent).count() == 0


def test_the_same_content_is_kept_once_and_an_edit_in_place_does_not_reach_the_copy(project: int, source: Path) -> None:
    first = ingest(project, source).result
    assert ingest(project, source).result == first and len(sources()) == 1
    with source.open("r+b") as file:
        file.write(b'{"text": "CHANGED"')
    second = ingest(project, source).result
    assert first is not None and second is not None and second["content_hash"] != first["content_hash"]
    assert (project_folder(project) / first["path"]).read_bytes() == CONTENT
    assert len(sources()) == 2


def test_a_content_that_came_back_is_the_newest_again(project: int, source: Path) -> None:
    first = ingest(project, source).result or {}
    source.write_bytes(CONTENT * 2)
    ingest(project, source)
    source.write_bytes(CONTENT)
    ingest(project, source)
    with reading() as session:
        newest = source_of(session, project, first["locator"])
    assert newest is not None and newest.id == first["source_id"]


def test_a_copy_that_was_damaged_is_mended_by_ingesting_again(project: int, source: Path) -> None:
    kept = project_folder(project) / (ingest(project, source).result or {})["path"]
    kept.write_bytes(b"damaged")
    ingest(project, source)
    assert kept.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("scheme", "content", "code"),
    [
        ("jsonl", None, "source_not_found"),
        ("jsonl", b"", "source_empty"),
        ("jsonl", b"\n \n", "source_empty"),
        ("jsonl", b"\x00\x01", "source_binary"),
        ("csv", b"text,label\n", "source_empty"),
        ("csv", b"\n\n", "source_empty"),
        ("jsnl", b"{}", "unknown_scheme"),
    ],
)
def test_what_can_be_no_source_is_refused_and_leaves_nothing(
    project: int, tmp_path: Path, scheme: str, content: bytes | None, code: str
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunFailed) as failed:
        ingest(project, path, scheme)
    assert failed.value.error.reason.code == code
    assert list((project_folder(project) / "sources").glob("*")) == [] and sources() == []


def test_a_folder_is_no_source(project: int, tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as failed:
        ingest(project, tmp_path)
    assert failed.value.error.reason.code == "source_is_directory"
