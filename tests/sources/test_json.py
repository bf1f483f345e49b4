from pathlib import Path

import pytest

from brewslm.errors import StageError
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources import json as json_source
from brewslm.sources.json import JsonConnector

CONNECTOR = JsonConnector()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "rows.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("block", [1, 7, 65536])
def test_each_element_is_a_row_wherever_the_blocks_end(tmp_path: Path, monkeypatch, block: int) -> None:
    monkeypatch.setattr(json_source, "_BLOCK_BYTES", block)
    content = b'\xef\xbb\xbf [\n {"a": "],\\"[{\\\\"} ,{"b": [1, {"c": 2}]},\n 7, {"a": } , {}]\n'
    path = written(tmp_path, content)
    rows = list(CONNECTOR.rows(path))
    assert [row.values for row in rows if isinstance(row, RawRow)] == [{"a": '],"[{\\'}, {"b": [1, {"c": 2}]}, {}]
    sentinels = [row for row in rows if isinstance(row, SentinelRow)]
    assert [(row.position, row.reason, row.head) for row in sentinels] == [
        (3, RowReason.NOT_AN_OBJECT, "7"),
        (4, RowReason.INVALID_JSON, '{"a": }'),
    ]
    assert [content[row.byte_offset :][: len(row.head)].decode() for row in sentinels] == ["7", '{"a": }']
    assert CONNECTOR.estimated_rows(path) == 5


@pytest.mark.parametrize(
    ("content", "rows", "fault"),
    [
        (b"[]", 0, None),
        (b'[{"a": 1}', 0, "the file ends before the array does"),
        (b'[{"a": 1},', 1, "the file ends before the array does"),
        (b'[{"a": 1}] {"a": 2}', 1, "it stands after the array's end"),
        (b'[{"a": 1},]', 1, "nothing stands after the last comma"),
        (b'[{"a": 1},,{"a": 2}]', 2, "nothing stands before the comma"),
    ],
)
def test_what_is_wrong_with_the_array_itself_is_a_sentinel(tmp_path: Path, content: bytes, rows: int, fault: str | None) -> None:
    found = list(CONNECTOR.rows(written(tmp_path, content)))
    assert sum(isinstance(row, RawRow) for row in found) == rows
    assert [row.detail for row in found if isinstance(row, SentinelRow)] == ([fault] if fault else [])


def test_an_element_that_is_too_long_costs_itself_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(json_source, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(json_source, "_BLOCK_BYTES", 64)
    content = b'[{"a": 1}, {"a": "' + b"x" * 500 + b'"}, {"a": 2}]'
    first, long, last = CONNECTOR.rows(written(tmp_path, content))
    assert isinstance(first, RawRow) and isinstance(last, RawRow) and last.values == {"a": 2}
    assert isinstance(long, SentinelRow) and long.reason is RowReason.LINE_TOO_LONG and long.byte_offset == 11


def test_what_is_no_array_is_refused_with_a_way_on(tmp_path: Path) -> None:
    with pytest.raises(StageError) as refused:
        CONNECTOR.file(str(written(tmp_path, b'{"a": 1}\n{"a": 2}\n')))
    assert refused.value.reason.code == "source_unreadable" and "jsonl:" in refused.value.next_step
