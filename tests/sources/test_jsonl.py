from itertools import accumulate, product
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources import base, jsonl
from brewslm.sources.base import BLOCK_BYTES, MAX_LINE_BYTES
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.jsonrow import json_block, json_row

CONNECTOR = JsonlConnector()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "rows.jsonl"
    path.write_bytes(content)
    return path


def test_each_broken_line_is_a_sentinel_that_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"a": 1}\n{broken\n[1]\n"text"\n{"a": "\xff"}\n{"a": 2}')
    rows = list(CONNECTOR.rows(path))
    assert [type(row) for row in rows] == [RawRow, SentinelRow, SentinelRow, SentinelRow, SentinelRow, RawRow]
    sentinels = [row for row in rows if isinstance(row, SentinelRow)]
    assert [row.reason for row in sentinels] == [
        RowReason.INVALID_JSON,
        RowReason.NOT_AN_OBJECT,
        RowReason.NOT_AN_OBJECT,
        RowReason.BAD_ENCODING,
    ]
    assert [(row.position, row.byte_offset, row.head) for row in sentinels[:2]] == [(2, 9, "{broken"), (3, 17, "[1]")]
    assert sentinels[1].detail == "a list, not an object"


def test_a_row_is_known_by_its_source_and_line_number_and_blank_lines_count_as_lines(tmp_path: Path) -> None:
    path = written(tmp_path, b'\n{"a": 1}\n  \n{"a": 2}\n')
    rows = list(CONNECTOR.rows(path))
    assert [row.position for row in rows] == [2, 4]


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf{"a": 1}\n')
    assert [row.values for row in CONNECTOR.rows(path) if isinstance(row, RawRow)] == [{"a": 1}]


def test_a_byte_order_mark_alone_is_a_blank_line(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf\n{"a": 1}\n')
    assert [(type(row), row.position) for row in CONNECTOR.rows(path)] == [(RawRow, 2)]


@pytest.mark.parametrize("over", [1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
def test_a_line_that_is_too_long_costs_one_sentinel_and_not_the_rows_after_it(tmp_path: Path, over: int) -> None:
    frame = b'{"a": ""}'
    fits = b'{"a": "' + b"x" * (MAX_LINE_BYTES - len(frame)) + b'"}\n'
    long = b'{"a": "' + b"x" * (MAX_LINE_BYTES - len(frame) + over) + b'"}\n'
    path = written(tmp_path, b'{"a": 0}\n' + long + fits + b"{broken}\n" + long[:-1])
    first, too_long, just, broken, last = CONNECTOR.rows(path)
    assert first == RawRow(1, {"a": 0}) and isinstance(just, RawRow) and just.position == 3
    for row, offset in ((too_long, 9), (last, len(long) + len(fits) + 18)):
        assert isinstance(row, SentinelRow) and row.reason is RowReason.LINE_TOO_LONG and row.byte_offset == offset
        assert row.head == long[:200].decode()
    assert isinstance(broken, SentinelRow) and path.read_bytes()[broken.byte_offset :].startswith(b"{broken}\n")


PLAIN_LINES = [b'{"a": 1}', b'{"a": "x: y", "b": [1]}', b"{}"]
BROKEN_LINES = [b"{broken", b"", b" ", b"null", b'{"a": 1, "a": 2}', b'{"a\xff": 1}', b'{"a": ":1"}', b'{"a" :1,"a":2}']
DEEP_LINES = [b'{"a": %b}' % (b"[" * depth + b"]" * depth) for depth in (99, 101, 1100)]
HALVES = [b'{"a": [1', b"2]}", b'{"b": 2}]}', b'{"c": 3}, 4', b'{"c": 3},', b'{"d": "x', b'{y"}', b'{"e": {"f": 1}', b'{"g": 1}}']
"""Lines that may become objects with what stands after them."""


@pytest.mark.parametrize("first", [*PLAIN_LINES, *BROKEN_LINES, *DEEP_LINES, *HALVES])
def test_lines_that_are_parsed_together_are_the_rows_that_each_is_by_itself(first: bytes) -> None:
    for lines in product([first], [*PLAIN_LINES, *BROKEN_LINES, *DEEP_LINES, *HALVES], [b'{"c": 3}, 4', b'{"a": 1}']):
        offsets = accumulate(lines, lambda at, line: at + len(line) + 1, initial=0)
        places = enumerate(zip(offsets, lines, strict=False), 1)
        one_by_one = [json_row(number, offset, line) for number, (offset, line) in places if line.strip()]
        assert json_block(0, 0, b"\n".join(lines)).rows() == one_by_one


@given(
    st.lists(st.sampled_from([*PLAIN_LINES, *BROKEN_LINES, *DEEP_LINES, *HALVES]), max_size=40),
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(1, 60),
)
def test_how_lines_fall_into_blocks_changes_no_row(tmp_path_factory, lines: list[bytes], end: bytes, block_bytes: int) -> None:
    path = written(tmp_path_factory.mktemp("jsonl"), end.join(lines))
    whole = list(CONNECTOR.rows(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK_BYTES", block_bytes)
        assert list(CONNECTOR.rows(path)) == whole
    ended = end.join(lines).split(b"\n")
    offsets = accumulate(ended, lambda at, line: at + len(line) + 1, initial=0)
    places = enumerate(zip(offsets, ended, strict=False), 1)
    one_by_one = [json_row(number, offset, line) for number, (offset, line) in places if line.strip()]
    assert whole == one_by_one


def test_the_limit_counts_sentinels_too(tmp_path: Path) -> None:
    path = written(tmp_path, b'{broken\n{"a": 1}\n{"a": 2}\n')
    assert [row.position for row in CONNECTOR.load(str(path), limit=2)] == [1, 2]


def test_the_spread_sample_reaches_the_end_of_a_sorted_file_and_leaves_out_the_head(tmp_path: Path) -> None:
    lines = [orjson.dumps({"n": n, "label": "a" if n < 9000 else "b"}) for n in range(10_000)]
    path = written(tmp_path, b"\n".join(lines))
    described = CONNECTOR.describe(str(path))
    assert [row["n"] for row in described.sample_rows] == list(range(20))
    spread = [row["n"] for row in described.spread_rows]
    assert len(spread) > 150 and min(spread) >= 20 and len(set(spread)) == len(spread)
    assert {row["label"] for row in described.spread_rows} == {"a", "b"}
    assert described.approximate_total_rows == 10_000


def test_the_size_of_a_large_file_is_estimated(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(base, "_ESTIMATE_BYTES", 1000)
    path = written(tmp_path, b'{"n": 1}\n' * 5000)
    assert abs(CONNECTOR.describe(str(path)).approximate_total_rows - 5000) < 50


@given(st.lists(st.one_of(st.dictionaries(st.text(), st.integers(-9, 9)), st.binary(max_size=30)), max_size=20))
def test_every_line_is_one_row_whatever_stands_in_it(tmp_path_factory, lines: list[dict[str, int] | bytes]) -> None:
    encoded = [orjson.dumps(line) if isinstance(line, dict) else line.replace(b"\n", b"") for line in lines]
    path = written(tmp_path_factory.mktemp("lines"), b"".join(line + b"\n" for line in encoded))
    rows = list(CONNECTOR.rows(path))
    assert [row.position for row in rows] == [n for n, line in enumerate(encoded, 1) if not (line + b"\n").isspace()]
    good = {row.position: row.values for row in rows if isinstance(row, RawRow)}
    for number, line in enumerate(lines, 1):
        if isinstance(line, dict):
            assert good[number] == line
    for row in rows:
        if isinstance(row, SentinelRow):
            start = row.byte_offset
            assert path.read_bytes()[start : start + len(encoded[row.position - 1])] == encoded[row.position - 1]
