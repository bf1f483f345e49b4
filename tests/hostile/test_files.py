"""The hostile corpus of local files: each gives its reason or its problem, in bounded time and memory."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from tests.sources.workbooks import workbook

PEAK_MB = 300
CPU_SECONDS = 10
"""Of the process, and not of the clock: a busy machine is no fault of the reader's."""


def outcome(locator: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.child", locator], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["peak_mb"] < PEAK_MB and found["cpu_seconds"] < CPU_SECONDS, found
    return found


GOOD = b'{"a": 1}\n'
LINES = {
    "bom": (b"\xef\xbb\xbf" + GOOD, {"row": 1}),
    "crlf": (b'{"a": 1}\r\n\r\n{"a": 2}\r\n', {"row": 2}),
    "mixed_types": (b'{"a": 1}\n{"a": "x"}\n{"a": [1]}\n7\n"x"\nnull\n', {"row": 3, "not_an_object": 3}),
    "broken": (GOOD + b'{"a": \n' + GOOD, {"row": 2, "invalid_json": 1}),
    "lone_surrogates": (
        GOOD + b'{"a": "\\ud800"}\n{"a": "\\udc00 x"}\n{"a": "\\ud800\\u0041"}\n{"a": "\\ud83d\\ude00"}\n',
        {"row": 2, "lone_surrogate": 3},
    ),
    "surrogates_as_bytes": (GOOD + b'{"a": "\xed\xa0\x80"}\n', {"row": 1, "bad_encoding": 1}),
    "not_finite": (
        GOOD + b'{"a": NaN}\n{"a": Infinity}\n{"a": -Infinity}\n{"a": [1, NaN]}\n{"a": 1e999}\n{"a": "NaN"}\n',
        {"row": 2, "non_finite_number": 5},
    ),
    "duplicate_keys": (
        b'{"a": 1, "a": 2}\n{"a" : 1, "b\\":": 1, "a":2}\n{"b": [{"x": 1, "x": 1}]}\n{"a": "b:c", "d": {"a": "\\":"}}\n',
        {"row": 1, "duplicate_keys": 3},
    ),
    "nul_after_the_head": (GOOD * 2000 + b'{"a": "\x00"}\n{"a": "\\u0000"}\n', {"row": 2001, "nul_character": 1}),
    "deep": (b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}\n", {"row": 1}),
    "too_deep": (b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}\n" + GOOD, {"row": 1, "nested_too_deep": 1}),
    "far_too_deep": (b'{"a": ' + b"[" * 2_000_000 + b"\n" + GOOD, {"row": 1, "too_many_values": 1}),
    "deeper_than_orjson": (b'{"a": ' + b'{"b":' * 5000 + b"1" + b"}" * 5001 + b"\n" + GOOD, {"row": 1, "nested_too_deep": 1}),
    "hundred_thousand_columns": (
        b"{" + b",".join(b'"c%d": 1' % n for n in range(100_000)) + b"}\n" + GOOD,
        {"row": 1, "too_many_columns": 1},
    ),
    "a_line_of_millions_of_values": (b'{"a": [' + b"[]," * 5_000_000 + b"1]}\n" + GOOD, {"row": 1, "too_many_values": 1}),
}


@pytest.mark.parametrize("name", LINES)
def test_hostile_lines_cost_themselves_alone(tmp_path: Path, name: str) -> None:
    content, expected = LINES[name]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    assert outcome(f"jsonl:{path}")["counts"] == expected
    array = tmp_path / "rows.json"
    if name == "broken":
        array.write_bytes(b'[{"a": 1}, {"a": }, {"a": 1},]')
        assert outcome(f"json:{array}")["counts"] == {"row": 2, "invalid_json": 2}


def packed(pack: Callable[[bytes], bytes], path: Path, megabytes: int) -> Path:
    path.write_bytes(pack(bytes(1024 * 1024)) * megabytes)
    return path


def test_bombs_are_defused(tmp_path: Path) -> None:
    for path in (
        packed(lambda block: gzip.compress(block, 9), tmp_path / "a.jsonl.gz", 200),
        packed(zstandard.compress, tmp_path / "b.jsonl.zst", 200),
    ):
        found = outcome(f"file:{path}")
        assert found["problem"] == "source_too_large" and "unpack to over" in found["cause"]
    text = "x" * 70_000_000
    bomb = workbook(tmp_path / "c.xlsx", "", sheet=f"<worksheet><!--{text}--></worksheet>")
    assert outcome(f"xlsx:{bomb}")["problem"] == "source_too_large"


def test_what_a_workbook_holds_in_memory_is_capped(tmp_path: Path) -> None:
    """None of these unpacks so far that its ratio alone would tell."""
    cell = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    many = workbook(tmp_path / "many.xlsx", cell, strings=[f"s{n}" for n in range(1_700_000)])
    found = outcome(f"xlsx:{many}")
    assert found["problem"] == "source_too_large" and "shared strings take over 64 MB" in found["cause"]
    text = "x" * 1_000_001
    long = workbook(tmp_path / "long.xlsx", cell, strings=[text])
    assert outcome(f"xlsx:{long}")["problem"] == "source_too_large"
    long = workbook(tmp_path / "cell.xlsx", f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>')
    assert outcome(f"xlsx:{long}")["problem"] == "source_unreadable"


def test_two_cells_at_the_corners_of_a_sheet_are_two_cells(tmp_path: Path) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    book = workbook(tmp_path / "far.xlsx", far)
    assert outcome(f"xlsx:{book}")["counts"] == {"row": 1}
    book = workbook(tmp_path / "wide.xlsx", far.replace("A1048576", "XFD1048576"))
    assert outcome(f"xlsx:{book}")["problem"] == "source_unreadable"


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(12))
    book = workbook(tmp_path / "laughs.xlsx", "", sheet=f"<!DOCTYPE w [{entities}]><worksheet>&e11;</worksheet>")
    found = outcome(f"xlsx:{book}")
    assert found["problem"] == "source_unreadable" and "document type" in found["cause"]


@pytest.mark.parametrize("scheme", ["csv", "tsv"])
def test_a_table_of_hundred_thousand_columns_is_refused(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "wide.csv"
    line = ("," if scheme == "csv" else "\t").join(f"c{n}" for n in range(100_000))
    path.write_text(f"{line}\n{line}\n")
    found = outcome(f"{scheme}:{path}")
    assert found["problem"] == "source_too_large" and "100,000 columns" in found["cause"]


def test_a_parquet_of_hundred_thousand_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    pyarrow.parquet.write_table(pyarrow.table({f"c{n}": [1] for n in range(20_000)}), path)
    assert outcome(f"parquet:{path}")["problem"] == "source_too_large"


def test_a_record_whose_quote_is_never_closed_does_not_swallow_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" + b'"ab\n",' * 1_100_000)
    counts = outcome(f"csv:{path}")["counts"]
    assert set(counts) <= {"too_many_values", "line_too_long", "invalid_csv", "wrong_cell_count"} and sum(counts.values()) > 1


def test_a_text_of_utf_16_is_decoded_as_a_table_and_else_told(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes("a,b\r\nĊ,ü\r\n".encode("utf-16"))
    found = outcome(f"csv:{path}")
    assert found["counts"] == {"row": 1} and found["notes"] == ["read as UTF-16"]
    path.write_bytes('{"a": 1}\n'.encode("utf-16"))
    found = outcome(f"jsonl:{path}")
    assert found["problem"] == "source_binary" and "iconv" in found["next_step"]


def test_an_empty_and_a_cut_parquet_are_problems(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pyarrow.table({"a": list(range(10_000))})
    pyarrow.parquet.write_table(table.slice(0, 0), path)
    assert outcome(f"parquet:{path}")["problem"] == "source_empty"
    pyarrow.parquet.write_table(table, path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:5], whole[:4] + bytes(len(whole) - 12) + whole[-8:]):
        path.write_bytes(content)
        assert outcome(f"parquet:{path}")["problem"] == "source_unreadable"


def test_paths_that_lead_nowhere_good_are_problems(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "pit").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for reference, code in (
        (f"{tmp_path}/loop", "source_not_found"),
        (f"{tmp_path}/gone", "source_not_found"),
        (f"{tmp_path}/pit", "source_not_found"),
        (f"{tmp_path}/folder/..", "source_is_directory"),
        (f"{tmp_path}/folder/../../no/such", "source_not_found"),
        ("/proc/self/mem", "source_not_found"),
        ("x" * 5000, "source_not_found"),
        ("", "source_is_directory"),
    ):
        assert outcome(f"file:{reference}")["problem"] == code, reference


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["jsonl", "csv", "json"])
def test_a_line_of_a_gigabyte_is_one_sentinel(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "rows"
    opening = {"jsonl": b'{"a": 1}\n{"a": "', "csv": b"a,b\n1,2\n", "json": b'[{"a": 1}, {"a": "'}[scheme]
    ending = {"jsonl": b'"}\n{"a": 2}\n', "csv": b",1\n3,4\n", "json": b'"}, {"a": 2}]'}[scheme]
    with path.open("wb") as file:
        file.write(opening)
        for _ in range(1024):
            file.write(b"x" * 1024 * 1024)
        file.write(ending)
    assert outcome(f"{scheme}:{path}")["counts"] == {"row": 2, "line_too_long": 1}
