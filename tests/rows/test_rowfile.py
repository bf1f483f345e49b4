import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.rows import RowFile, content_hash, row_id
from brewslm.rows.identity import id_parts

ROWS = [{"row_id": row_id("source", number), "text": f"row {number}"} for number in range(1, 6)]


def fill(file: RowFile, rows, committed: int = 0) -> int:
    with file.append(committed) as appender:
        for row in rows:
            appender.write(row)
        assert appender.count == len(rows)
    return appender.length


def test_rows_come_back_in_order_and_by_id(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS)
    assert list(file.rows()) == list(file.rows([(0, committed)])) == ROWS
    assert committed == file.path.stat().st_size
    assert [file.find(row["row_id"], [(0, committed)]) for row in ROWS] == ROWS
    assert file.find("r0") is None


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    assert list(file.rows()) == [] and file.find("r0") is None


@pytest.mark.parametrize("tail", [b'{"row_id": "rtorn", "te', b'{"row_id":"rwhole","text":"never committed"}\n'])
def test_a_tail_beyond_the_committed_length_is_cut_with_its_index(tmp_path, tail):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS[:2])
    fill(file, ROWS[2:4], committed)  # index and file were written, then the power went before the table said so
    with file.path.open("ab") as torn:
        torn.write(tail)
    assert list(file.rows([(0, committed)])) == ROWS[:2]
    assert file.find(ROWS[3]["row_id"], [(0, committed)]) is None
    with file.append(committed) as appender:
        appender.write(ROWS[4])
    assert list(file.rows()) == [*ROWS[:2], ROWS[4]]
    assert file.find(ROWS[2]["row_id"]) is None and file.find(ROWS[4]["row_id"]) == ROWS[4]


def test_an_error_while_appending_takes_the_rows_out_again(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS[:2])
    before = file.path.read_bytes()
    with pytest.raises(RuntimeError), file.append(committed) as appender:
        appender.write(ROWS[2])
        raise RuntimeError
    assert file.path.read_bytes() == before and file.find(ROWS[2]["row_id"]) is None
    assert fill(file, ROWS[2:], committed) == file.path.stat().st_size and list(file.rows()) == ROWS


def test_a_file_shorter_than_committed_is_an_error_and_stays_as_it_is(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS)
    file.path.write_bytes(file.path.read_bytes()[:-1])
    with pytest.raises(OSError, match="were committed"), file.append(committed):
        pass
    assert file.path.stat().st_size == committed - 1


def test_a_row_that_stands_twice_is_found_where_it_counts(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    first = fill(file, ROWS[:2])
    again = [row | {"text": "again"} for row in ROWS[:2]]
    second = fill(file, again, first)
    wanted = ROWS[1]["row_id"]
    assert list(file.find_all(wanted)) == [ROWS[1], again[1]]
    assert file.find(wanted, [(0, first)]) == ROWS[1] and file.find(wanted, [(first, second)]) == again[1]
    assert list(file.rows([(first, second)])) == again


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\x00 of an older version", None])
def test_an_index_that_does_not_cover_the_rows_is_no_loss(tmp_path, damage):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS[:3])
    file.index.path.unlink()
    if damage is not None:
        file.index.path.write_bytes(damage)
    if not damage:  # whatever is in its place may be garbage, but a missing index is read around
        assert [file.find(row["row_id"]) for row in ROWS[:3]] == ROWS[:3]
    fill(file, ROWS[3:], committed)
    assert file.index.path.stat().st_size == 24 * 5
    assert [file.find(row["row_id"]) for row in ROWS] == ROWS


def test_lines_and_rows_are_indexed_alike(tmp_path):
    lines = [orjson.dumps(row) + b"\n" for row in ROWS]
    one, other = RowFile(tmp_path / "one.jsonl"), RowFile(tmp_path / "other.jsonl")
    fill(one, ROWS)
    with other.append(0) as appender:
        appender.write_lines(lines[:2], "rsource", [1, 2])
        appender.write_lines([], "rsource", [])
        appender.write_lines(lines[2:], "rsource", [3, 4, 5])
    assert appender.count == 5 and appender.length == one.path.stat().st_size
    assert (one.path.read_bytes(), one.index.path.read_bytes()) == (other.path.read_bytes(), other.index.path.read_bytes())


def test_identity_is_stable_and_content_does_not_hang_on_key_order():
    assert row_id("0123456789abcdef0123", 7) == "r0123456789abcdef-7"
    assert id_parts("r0123456789abcdef-7") == ("r0123456789abcdef", 7)
    assert id_parts("rold") == ("rold", 0) and id_parts("r-x") == ("r-x", 0)
    assert row_id("abc", 7) != row_id("abc", 8) != row_id("abd", 8)
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1}) != content_hash({"a": 1, "b": 3})


@settings(max_examples=25)  # each appends with fsync
@given(st.lists(st.tuples(st.lists(st.text(max_size=12), max_size=5), st.sampled_from(["commit", "lose", "fail"])), max_size=6))
def test_whatever_is_lost_or_fails_only_committed_rows_stay(tmp_path_factory, batches):
    file = RowFile(tmp_path_factory.mktemp("rows") / "rows.jsonl")
    committed, expected, position = 0, [], 0
    for texts, ending in batches:
        rows = []
        for text in texts:
            position += 1
            rows.append({"row_id": row_id("source", position), "text": text})
        try:
            with file.append(committed) as appender:
                for row in rows:
                    appender.write(row)
                if ending == "fail":
                    raise RuntimeError
        except RuntimeError:
            continue
        if ending == "commit":
            committed, expected = appender.length, expected + rows
    assert list(file.rows([(0, committed)])) == expected
    assert [file.find(row["row_id"], [(0, committed)]) for row in expected] == expected
