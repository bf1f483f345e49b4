"""A sample that says it is of the whole file shows what a sorted file ends with."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.sources import base, jsonl, parquet
from brewslm.sources.base import Connector
from brewslm.sources.csv import CsvConnector
from brewslm.sources.json import JsonConnector
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.parquet import ParquetConnector

CONNECTORS: list[Connector] = [JsonlConnector(), CsvConnector(), JsonConnector(), ParquetConnector()]


def written(connector: Connector, folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"rows.{connector.extension}"
    match connector.scheme:
        case "jsonl":
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        case "csv":
            path.write_text("text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in rows))
        case "json":
            path.write_text(json.dumps(rows))
        case "parquet":
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=max(1, len(rows) // 40))
    return path


def sampled(connector: Connector, path: Path) -> list[dict[str, Any]]:
    described = connector.describe(str(path), path)
    assert described.sample_reach == "file"
    return [*described.sample_rows, *described.spread_rows]


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda one: one.scheme)
@settings(max_examples=25, deadline=None)
@given(first=st.integers(1, 3000), second=st.integers(1, 3000), text=st.text("ab \n,", max_size=20))
def test_a_sorted_file_of_two_labels_shows_both(
    tmp_path_factory, connector: Connector, first: int, second: int, text: str
) -> None:
    rows = [{"text": f"{text} {n}", "label": "no" if n < first else "yes"} for n in range(first + second)]
    found = sampled(connector, written(connector, tmp_path_factory.mktemp("sorted"), rows))
    assert {row["label"] for row in found} == {"no", "yes"}
    assert len({row["text"] for row in found}) == len(found) <= base.HEAD_ROWS + 2 * base.SPREAD_ROWS + 1


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda one: one.scheme)
def test_one_last_row_of_another_label_is_seen(tmp_path: Path, connector: Connector) -> None:
    rows = [{"text": f"text {n}", "label": "no"} for n in range(20_011)] + [{"text": "last", "label": "yes"}]
    assert "yes" in {row["label"] for row in sampled(connector, written(connector, tmp_path, rows))}


@pytest.mark.parametrize("connector", CONNECTORS[:3], ids=lambda one: one.scheme)
def test_large_rows_leave_a_sample_of_the_whole_file(tmp_path: Path, monkeypatch, connector: Connector) -> None:
    for module in (base, jsonl):
        monkeypatch.setattr(module, "SAMPLE_BYTES", 20_000)
    rows = [{"text": f"{n} {'x' * 1000}", "label": str(n * 10 // 400)} for n in range(400)]
    path = written(connector, tmp_path, rows)
    found = sampled(connector, path)
    assert len(found) < 60, "the sample has a bound"
    assert {int(row["label"]) // 2 for row in found} == set(range(5)), "each fifth of the file is in it"


def test_a_few_very_large_rows_show_the_last_one(tmp_path: Path, monkeypatch) -> None:
    for module in (base, jsonl):
        monkeypatch.setattr(module, "SAMPLE_BYTES", 1000)
    rows = [{"text": "x" * 600, "label": "no" if n < 9 else "yes"} for n in range(10)]
    for connector in CONNECTORS[:3]:
        assert {row["label"] for row in sampled(connector, written(connector, tmp_path, rows))} == {"no", "yes"}


def test_many_row_groups_are_entered_and_the_last_row_is_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parquet, "SPREAD_WINDOW", 100)
    rows = [{"text": f"text {n}", "label": "no"} for n in range(20_011)] + [{"text": "last", "label": "yes"}]
    found = sampled(ParquetConnector(), written(ParquetConnector(), tmp_path, rows))
    assert "yes" in {row["label"] for row in found}
    assert len({row["text"] for row in found}) == len(found) < 250


@pytest.mark.parametrize("length", [1, 300_000, 2_000_000])
def test_a_last_line_of_any_length_is_seen(tmp_path: Path, length: int) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(300)) + json.dumps({"n": 300, "text": "x" * length}))
    assert max(row["n"] for row in sampled(JsonlConnector(), path)) == 300


def test_blank_and_broken_lines_at_the_end_hide_no_row_before_the_last(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(5000)) + '\n\n  \n{"n": 50\n{"n"')
    assert max(row["n"] for row in sampled(JsonlConnector(), path)) == 4999


def test_a_large_table_says_that_only_its_head_was_sampled(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(base, "SCAN_BYTES", 1000)
    monkeypatch.setattr(base, "SPREAD_WINDOW", 100)
    rows = [{"text": f"text {n}", "label": "no" if n < 500 else "yes"} for n in range(1000)]
    described = CsvConnector().describe(str(written(CsvConnector(), tmp_path, rows)))
    assert described.sample_reach == "head"
    assert {row["label"] for row in (*described.sample_rows, *described.spread_rows)} == {"no"}
