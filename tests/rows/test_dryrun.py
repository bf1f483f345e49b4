import orjson

from brewslm.rows.dryrun import AcceptedSample, RejectedSample


def test_the_sample_of_accepted_rows_is_the_first_ones_as_they_would_be_written() -> None:
    sample = AcceptedSample(3)
    for first in (0, 2, 4):
        sample.write_lines([orjson.dumps({"n": n}) + b"\n" for n in (first, first + 1)], "r", [first, first + 1])
    assert sample.sample == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_the_rejection_sample_shows_each_reason_but_the_dropped_ones() -> None:
    sample = RejectedSample(2, ["dull"])
    for number, reason in enumerate(["dull", "odd", "odd", "odd", "rare"]):
        sample.write({"row_id": str(number), "reason": reason})
    assert [row["row_id"] for row in sample.sample] == ["1", "2", "4"]
