"""Whatever the bytes: what goes in comes out as a row or as a sentinel with its reason."""

import csv
import io
from collections import Counter
from pathlib import Path

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from brewslm.rows import LedgerKeeper, RawRow, SentinelRow
from brewslm.sources import connector_of
from brewslm.sources.base import Connector

TOKENS = st.sampled_from(
    [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"NaN",
        b"1",
        b"a",
        b" ",
        b"\x00",
        b"\xff",
        b"\xc3\xa9",
        b"\\ud800",
    ]
)
BYTES = st.one_of(st.binary(max_size=120), st.lists(TOKENS, max_size=60).map(b"".join))


def ledger_of(scheme: str, path: Path) -> tuple[LedgerKeeper, list[RawRow | SentinelRow]]:
    connector: Connector = connector_of(f"{scheme}:")[0]
    rows = list(connector.rows(path))
    keeper = LedgerKeeper()
    for row in rows:
        keeper.enter()
        if isinstance(row, SentinelRow):
            keeper.reject(row.reason)
        else:
            keeper.accept()
    assert len({row.position for row in rows}) == len(rows)
    return keeper, rows


@given(BYTES)
@example(b'{"a": 1}\n\xff\xfe{\x00\n[1]\n')
def test_lines_in_are_rows_and_sentinels_by_reason(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.jsonl"
    path.write_bytes(content)
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line and not (line + b"\n").isspace()]
    keeper, rows = ledger_of("jsonl", path)
    ledger = keeper.closed()
    assert ledger.rows_in == len(lines) == ledger.rows_out + sum(ledger.rejected.values())
    assert Counter(row.reason.value for row in rows if isinstance(row, SentinelRow)) == ledger.rejected
    for row, line in zip(rows, lines, strict=True):
        if isinstance(row, RawRow):
            assert orjson.loads(orjson.dumps(row.values)) == row.values
        else:
            assert content[row.byte_offset :].removeprefix(b"\xef\xbb\xbf").startswith(line)


@given(BYTES)
def test_records_in_are_rows_and_sentinels_by_reason(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.csv"
    path.write_bytes(b"left,right\n" + content)
    keeper, rows = ledger_of("csv", path)
    ledger = keeper.closed()
    assert ledger.rows_in == len(rows) == ledger.rows_out + sum(ledger.rejected.values())
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    # Each byte of the file belongs to a record or to a blank line: with the records that can be read, nothing else is left.
    if all(isinstance(row, RawRow) for row in rows) and content.isascii():
        text = io.StringIO(content.decode("ascii"), newline="")
        assert [list(row.values.values()) for row in rows if isinstance(row, RawRow)] == [one for one in csv.reader(text) if one]


@given(st.lists(st.one_of(st.dictionaries(st.text(), st.integers(-9, 9)), st.sampled_from([1, "x", None, [1]])), max_size=12))
def test_the_elements_of_an_array_are_rows_and_sentinels(tmp_path_factory, elements: list[object]) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.json"
    path.write_bytes(b" " + orjson.dumps(elements, option=orjson.OPT_INDENT_2))
    rows = ledger_of("json", path)[1]
    assert [row.values if isinstance(row, RawRow) else None for row in rows] == [
        one if isinstance(one, dict) else None for one in elements
    ]
    content = path.read_bytes()
    for row in rows:
        if isinstance(row, SentinelRow):
            assert content[row.byte_offset :].startswith(row.head.encode())


@given(BYTES)
def test_no_bytes_stop_the_reader_of_an_array(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.json"
    path.write_bytes(b"[" + content)
    keeper, rows = ledger_of("json", path)
    keeper.closed()
    try:
        parsed = orjson.loads(b"[" + content)
    except orjson.JSONDecodeError:
        assert rows and any(isinstance(row, SentinelRow) for row in rows)
    else:
        assert len(rows) == len(parsed)
