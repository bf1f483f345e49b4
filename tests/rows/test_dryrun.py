from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from brewslm.rows import RowFile
from brewslm.rows.dryrun import DryAppender, RejectionSample

pairs = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("12345")), max_size=20)


@given(pairs, pairs, pairs)
def test_a_dry_appender_answers_as_the_real_one_does(tmp_path_factory, committed, torn, new) -> None:
    file = RowFile(tmp_path_factory.mktemp("rows") / "rows.jsonl")
    with file.append(0) as into:
        for row, key in committed:
            into.write({"row_id": row}, key)
    length = into.length
    with file.append(length) as into:  # never committed: nobody may see these
        for row, key in torn:
            into.write({"row_id": row}, key)

    def taken(sink) -> list[bool]:
        answers = []
        for row, key in new:
            answers.append(sink.is_new(row, key))
            if answers[-1]:
                sink.write({"row_id": row}, key)
        return answers

    before = file.path.read_bytes() if file.path.exists() else b""
    with DryAppender(file, length, 3) as dry:
        expected = taken(dry)
        assert dry.sample == [{"row_id": row} for (row, _), fresh in zip(new, expected, strict=True) if fresh][:3]
    assert (file.path.read_bytes() if file.path.exists() else b"") == before
    with file.append(length) as real:
        assert taken(real) == expected


def test_a_dry_run_before_the_first_commit_makes_no_file(tmp_path: Path) -> None:
    with DryAppender(RowFile(tmp_path / "rows.jsonl"), 0, 1) as dry:
        assert dry.is_new("a", "1")
    assert list(tmp_path.iterdir()) == []


def test_the_rejection_sample_shows_each_reason_but_the_dropped_ones() -> None:
    sample = RejectionSample(2, ["dull"])
    for number, reason in enumerate(["dull", "odd", "odd", "odd", "rare"]):
        sample.write({"row_id": str(number), "reason": reason})
    assert [row["row_id"] for row in sample.sample] == ["1", "2", "4"]
