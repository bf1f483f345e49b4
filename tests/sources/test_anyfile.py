import gzip
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from brewslm.errors import StageError
from brewslm.rows import RawRow
from brewslm.settings import settings
from brewslm.sources import LOCAL_SCHEMES, connector_of, unpack
from brewslm.sources.anyfile import FileConnector
from tests.sources.workbooks import workbook

CONNECTOR = FileConnector()
LINES = b'{"a": 1}\n{"a": 2}\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BREWSLM_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def values(path: Path) -> list[dict[str, object]]:
    return [row.values for row in CONNECTOR.load(str(path)) if isinstance(row, RawRow)]


@pytest.mark.parametrize(
    ("name", "content", "scheme"),
    [
        ("rows.txt", LINES, "jsonl"),
        ("rows.csv", b'\xef\xbb\xbf [{"a": 1}]', "json"),
        ("rows.ndjson", b"[1]\n[2]\n", "jsonl"),
        ("rows", b"a;b\n1;2\n", "csv"),
        ("rows.csv", b"a\n1\n", "csv"),
        ("rows.tsv", b"a\tb\n1\t2\n", "tsv"),
        ("rows.txt", "a,b\n1,2\n".encode("utf-16"), "csv"),
    ],
)
def test_the_content_chooses_and_then_the_name(tmp_path: Path, name: str, content: bytes, scheme: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert CONNECTOR.reader(path).scheme == scheme
    described = CONNECTOR.describe(str(path))
    assert (described.source_id, described.locator) == (scheme, f"file:{path}")


def test_parquet_and_workbooks_are_known_under_any_name(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), table)
    book = workbook(tmp_path / "b.csv", '<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>')
    assert values(table) == values(book) == [{"a": 1}]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_is_read_like_what_is_in_it(tmp_path: Path, pack) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(pack(LINES) + pack(b'{"a": 3}\n'))  # both formats may hold several parts
    assert values(path) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert CONNECTOR.file(str(path)).name == "rows.jsonl"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
def test_a_packed_file_that_is_cut_or_damaged_is_a_problem(tmp_path: Path, pack) -> None:
    path = tmp_path / "rows.gz"
    whole = pack(b"".join(b'{"a": %d}\n' % n for n in range(50_000)))
    for content in (whole[:-20], whole[: len(whole) // 2] + b"\xaa" * 20 + whole[len(whole) // 2 + 20 :]):
        path.write_bytes(content)
        with pytest.raises(StageError) as refused:
            CONNECTOR.file(str(path))
        assert refused.value.reason.code == "source_unreadable"
    assert not list((tmp_path / "cache").rglob(".unpack.*"))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_unpacks_beyond_the_cap_is_refused(tmp_path: Path, monkeypatch, pack) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(pack(b'{"a": 1}\n' * 100_000))
    monkeypatch.setattr(unpack, "RATIO_FROM", 1000)
    monkeypatch.setattr(unpack, "MOST_RATIO", 3)
    with pytest.raises(StageError) as refused:
        CONNECTOR.file(str(path))
    assert refused.value.reason.code == "source_too_large"
    monkeypatch.setattr(unpack, "MOST_RATIO", 1_000_000)
    monkeypatch.setenv("BREWSLM_UNPACK_BYTES", "5000")
    settings.cache_clear()
    with pytest.raises(StageError) as refused:
        CONNECTOR.file(str(path))
    assert "5,000" in refused.value.cause


@pytest.mark.parametrize(
    ("content", "said"), [(b"Just prose\nand more of it\n", "neither JSON nor a table"), (b"PK\x03\x04 no zip", "zip")]
)
def test_what_is_nothing_that_can_be_read_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content)
    with pytest.raises(StageError) as refused:
        CONNECTOR.file(str(path))
    assert refused.value.reason.code == "source_unreadable" and said in refused.value.cause


def test_another_scheme_names_the_one_that_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(gzip.compress(LINES))
    with pytest.raises(StageError) as refused:
        connector_of("jsonl:")[0].file(str(path))
    assert refused.value.reason.code == "source_binary" and refused.value.next_step == f"Name it as file:{path}."


def test_every_scheme_that_reads_a_path_is_one_that_the_api_confines() -> None:
    assert LOCAL_SCHEMES == ("jsonl", "json", "csv", "tsv", "parquet", "xlsx", "file", "mended")
