import datetime
import decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow
import pyarrow.parquet

from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources import parquet as parquet_source
from brewslm.sources.parquet import ParquetConnector

CONNECTOR = ParquetConnector()


def written(folder: Path, table: Any, **options: Any) -> Path:
    path = folder / "rows.parquet"
    pyarrow.parquet.write_table(table, path, **options)
    return path


def test_every_kind_of_cell_is_something_that_json_has(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "text": ["a"],
            "missing": pyarrow.array([None], pyarrow.string()),
            "tokens": [["x", "y"]],
            "nested": [{"label": 1, "day": datetime.date(2024, 2, 29)}],
            "moment": [datetime.datetime(2024, 2, 29, 12, 30)],
            "price": [decimal.Decimal("1.50")],
            "image": [b"\xff\xd8"],
            "bytes": ["é".encode()],
        }
    )
    path = written(tmp_path, table)
    (row,) = CONNECTOR.rows(path)
    assert isinstance(row, RawRow) and orjson.loads(orjson.dumps(row.values)) == row.values
    assert row.values == {
        "text": "a", "missing": None, "tokens": ["x", "y"], "nested": {"label": 1, "day": "2024-02-29"},
        "moment": "2024-02-29T12:30:00", "price": "1.50", "image": "data:application/octet-stream;base64,/9g=", "bytes": "é",
    }  # fmt: skip


def test_a_cell_that_can_not_be_read_costs_its_own_row(tmp_path: Path) -> None:
    texts = pyarrow.StringArray.from_buffers(
        3, pyarrow.array([0, 1, 2, 3], pyarrow.int32()).buffers()[1], pyarrow.py_buffer(b"a\xffc")
    )
    path = written(tmp_path, pyarrow.table({"text": texts, "score": [1.0, 2.0, float("nan")]}))
    good, undecodable, not_finite = CONNECTOR.rows(path)
    assert isinstance(good, RawRow) and good.values == {"text": "a", "score": 1.0}
    assert isinstance(undecodable, SentinelRow) and undecodable.reason is RowReason.BAD_ENCODING
    assert isinstance(not_finite, SentinelRow) and not_finite.reason is RowReason.NON_FINITE_NUMBER
    assert (not_finite.position, not_finite.byte_offset) == (3, -1)


def test_columns_of_one_name_can_still_be_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path, pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"]))
    assert [row.values for row in CONNECTOR.rows(path) if isinstance(row, RawRow)] == [{"a": 1, "a_2": 2}]


def test_a_sorted_file_of_many_row_groups_shows_all_its_labels(tmp_path: Path) -> None:
    table = pyarrow.table({"label": sorted(n % 5 for n in range(5000))})
    path = written(tmp_path, table, row_group_size=100)
    described = CONNECTOR.describe(str(path))
    assert (described.sample_reach, described.approximate_total_rows, described.columns) == ("file", 5000, ["label"])
    assert {row["label"] for row in described.spread_rows} == {0, 1, 2, 3, 4}


def test_wide_rows_are_read_in_small_batches(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parquet_source, "_BATCH_BYTES", 10_000)
    path = written(tmp_path, pyarrow.table({"text": [f"{n:01000}" for n in range(50)]}), compression="none", use_dictionary=False)
    sizes = [batch.num_rows for batch in parquet_source._batches(path)]
    assert sum(sizes) == 50 and max(sizes) <= 10
