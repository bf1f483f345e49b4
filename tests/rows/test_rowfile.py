import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.rows import RowFile, content_key, row_id

ROWS = [{"row_id": row_id("source", number), "text": f"row {number}"} for number in range(1, 6)]


def fill(file: RowFile, rows, committed: int = 0) -> int:
    with file.append(committed) as appender:
        for row in rows:
            appender.write(row, content_key({"text": row["text"]}))
        assert appender.count == len(rows)
    return appender.length


def test_rows_come_back_in_order_and_by_id(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS)
    assert list(file.rows()) == list(file.rows(committed)) == ROWS
    assert committed == file.path.stat().st_size
    assert [file.find(row["row_id"], committed) for row in ROWS] == ROWS
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
    assert list(file.rows(committed)) == ROWS[:2]
    assert file.find(ROWS[3]["row_id"], committed) is None
    with file.append(committed) as appender:
        assert appender.is_new(ROWS[3]["row_id"], content_key({"text": "row 4"}))
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


def test_the_same_row_or_the_same_content_is_not_new(tmp_path):
    file = RowFile(tmp_path / "rows.jsonl")
    committed = fill(file, ROWS[:1])
    with file.append(committed) as appender:
        assert not appender.is_new(ROWS[0]["row_id"], "other content")
        assert not appender.is_new("r-other", content_key({"text": "row 1"}))
        assert appender.is_new("r-other", "other content")


def test_identity_is_stable_and_content_does_not_hang_on_key_order():
    assert row_id("abc", 7) == "r349adb019afda0f16307"
    assert row_id("abc", 7) != row_id("abc", 8) != row_id("abd", 8)
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1}) != content_key({"a": 1, "b": 3})


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
    assert list(file.rows(committed)) == expected
    assert [file.find(row["row_id"], committed) for row in expected] == expected
