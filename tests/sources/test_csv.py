import csv
import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources import base, textfile
from brewslm.sources import csv as csv_source
from brewslm.sources.csv import CsvConnector, TsvConnector, column_names

CONNECTOR = CsvConnector()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path


def test_cells_are_strings_under_the_headers_names(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbftext,label\r\n"a, b\nc",1\r\n\r\nd,2\r\n')
    rows = list(CONNECTOR.rows(path))
    assert [row.values for row in rows if isinstance(row, RawRow)] == [
        {"text": "a, b\nc", "label": "1"},
        {"text": "d", "label": "2"},
    ]
    assert [row.position for row in rows] == [1, 2]


def test_each_broken_record_is_a_sentinel_and_the_next_record_is_read(tmp_path: Path) -> None:
    content = b'text,label\na,b,c\na\n\xff\xfe,1\n"a"b,1\ngood,1\n'
    *broken, good = CONNECTOR.rows(written(tmp_path, content))
    assert isinstance(good, RawRow) and good.values == {"text": "good", "label": "1"}
    assert [(row.reason, row.position) for row in broken if isinstance(row, SentinelRow)] == [
        (RowReason.WRONG_CELL_COUNT, 1),
        (RowReason.WRONG_CELL_COUNT, 2),
        (RowReason.BAD_ENCODING, 3),
        (RowReason.INVALID_CSV, 4),
    ]
    first = broken[0]
    assert isinstance(first, SentinelRow) and (first.head, first.detail) == ("a,b,c", "3 cells, the header has 2")
    assert [content[row.byte_offset :][:3] for row in broken if isinstance(row, SentinelRow)] == [
        b"a,b",
        b"a\n\xff",
        b"\xff\xfe,",
        b'"a"',
    ]


def test_a_cell_that_is_too_long_is_a_sentinel(tmp_path: Path) -> None:
    path = written(tmp_path, b"text,label\n" + b"x" * 200_000 + b",1\nshort,1\n")
    long, good = CONNECTOR.rows(path)
    assert isinstance(long, SentinelRow) and long.reason is RowReason.LINE_TOO_LONG
    assert isinstance(good, RawRow)


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    rows = list(CONNECTOR.rows(written(tmp_path, b'text,label\n"never closed,1\na,2\n')))
    assert [row.reason for row in rows if isinstance(row, SentinelRow)] == [RowReason.INVALID_CSV]


def test_columns_without_a_name_or_with_a_repeated_one_can_still_be_told_apart() -> None:
    assert column_names(["a", "", "a", " b ", ""]) == ["a", "column_2", "a_3", "b", "column_5"]
    assert len(set(column_names(["a", "a_2", "a", "a", "column_5", ""]))) == 6


def test_a_file_of_blank_lines_has_no_header(tmp_path: Path) -> None:
    with pytest.raises(StageError) as refused:
        list(CONNECTOR.rows(written(tmp_path, b"\n\n")))
    assert isinstance(refused.value.reason, SourceEmpty)


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=12)


@given(st.lists(st.tuples(cells, cells), max_size=12))
def test_what_the_csv_writer_wrote_comes_back_cell_for_cell(tmp_path_factory, records: list[tuple[str, str]]) -> None:
    into = io.StringIO()
    csv.writer(into, quoting=csv.QUOTE_ALL).writerows([("left", "right"), *records])
    path = written(tmp_path_factory.mktemp("csv"), into.getvalue().encode())
    rows = list(CONNECTOR.rows(path))
    assert [row.values for row in rows if isinstance(row, RawRow)] == [{"left": a, "right": b} for a, b in records]


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reader(tmp_path_factory, content: bytes) -> None:
    path = written(tmp_path_factory.mktemp("csv"), b"left,right\n" + content)
    positions = [row.position for row in CONNECTOR.rows(path)]
    assert positions == list(range(1, len(positions) + 1))


def test_the_spread_sample_is_even_leaves_out_the_head_and_ends_with_the_last_row(tmp_path: Path) -> None:
    path = written(tmp_path, b"n\n" + b"".join(b"%d\n" % n for n in range(3000)))
    spread = [int(row["n"]) for row in CONNECTOR.spread(path)]
    assert 200 <= len(spread) <= 400 and spread[0] == 20 and spread[-1] == 2999
    assert len({b - a for a, b in pairwise(spread[:-1])}) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_the_records_agree_on(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "text", "label"], ["1", '"a, b; c"', "x"], ["2", "d", "y"]]
    path = written(tmp_path, "\n".join(delimiter.join(cells) for cells in lines).encode())
    first, second = CONNECTOR.rows(path)
    assert isinstance(first, RawRow) and first.values == {"id": "1", "text": "a, b; c", "label": "x"}
    assert isinstance(second, RawRow) and list(second.values) == ["id", "text", "label"]
    assert len(CONNECTOR.notes(path)) == (delimiter != ",")


def test_decimal_commas_do_not_make_a_comma_the_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path, b"text;score\ngood;1,5\nbad;-0,5\n")
    assert CONNECTOR.form(path) == ("utf-8", ";")


def test_a_western_text_is_read_as_cp1252_and_that_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "text,label\ncafé – “déjà vu”,naïve\nMünchen,1\n".encode("cp1252"))
    rows = [row.values for row in CONNECTOR.rows(path) if isinstance(row, RawRow)]
    assert rows == [{"text": "café – “déjà vu”", "label": "naïve"}, {"text": "München", "label": "1"}]
    assert "Windows-1252" in CONNECTOR.describe(str(path)).notes[0]


def test_a_broken_byte_does_not_make_a_text_of_utf_8_another_one(tmp_path: Path) -> None:
    path = written(tmp_path, "text,label\ncafé,1\n".encode() + b"caf\xe9,2\n")
    good, bad = CONNECTOR.rows(path)
    assert isinstance(good, RawRow) and good.values["text"] == "café"
    assert isinstance(bad, SentinelRow) and bad.reason is RowReason.BAD_ENCODING


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_the_byte_offsets_of_the_file(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "\ufeffa,b\r\nĊ,ü\r\nbroken\r\n\U0001f600,2".encode(encoding))
    first, broken, last = CONNECTOR.rows(path)
    assert isinstance(first, RawRow) and first.values == {"a": "Ċ", "b": "ü"}
    assert isinstance(broken, SentinelRow) and path.read_bytes()[broken.byte_offset :].decode(encoding).startswith("broken")
    assert isinstance(last, RawRow) and last.values == {"a": "\U0001f600", "b": "2"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_line_that_is_too_long_costs_itself_alone(tmp_path: Path, monkeypatch, encoding: str) -> None:
    for module in (csv_source, textfile):
        monkeypatch.setattr(module, "MAX_LINE_BYTES", 1000)
    path = written(tmp_path, ("\ufeffa,b\n" + "x" * 300_000 + ",1\ngood,2\n").encode(encoding))
    long, good = CONNECTOR.rows(path)
    assert isinstance(long, SentinelRow) and long.reason is RowReason.LINE_TOO_LONG and long.head == "x" * 200
    assert isinstance(good, RawRow) and good.values == {"a": "good", "b": "2"}


def test_a_zero_byte_is_told(tmp_path: Path) -> None:
    nul, good = CONNECTOR.rows(written(tmp_path, b"a,b\nx\x00,1\ny,2\n"))
    assert isinstance(nul, SentinelRow) and nul.reason is RowReason.NUL_CHARACTER
    assert isinstance(good, RawRow)


def test_tabs_separate_whatever_the_header_says(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\tc\n1,2\t3\n")
    (row,) = TsvConnector().rows(path)
    assert isinstance(row, RawRow) and row.values == {"a,b": "1,2", "c": "3"}


def test_a_description_says_how_far_its_sample_reaches(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, b"n\n" + b"".join(b"%d\n" % n for n in range(1000)))
    assert CONNECTOR.describe(str(path)).sample_reach == "file"
    monkeypatch.setattr(base, "SCAN_BYTES", 100)
    monkeypatch.setattr(base, "SPREAD_WINDOW", 500)
    described = CONNECTOR.describe(str(path))
    assert described.sample_reach == "head" and max(int(row["n"]) for row in described.spread_rows) < 500


def test_large_rows_are_sampled_within_a_bound(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(base, "SAMPLE_BYTES", 1000)
    path = written(tmp_path, b"n\n" + b"".join(b"%d\n" % (10**99 + n) for n in range(500)))
    described = CONNECTOR.describe(str(path))
    assert 1 <= len(described.sample_rows) <= 11 and 1 <= len(described.spread_rows) <= 10
