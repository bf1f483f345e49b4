"""Span counting: strict, and against a count by sets."""

from hypothesis import given
from hypothesis import strategies as st

from brewslm.metrics.spans import count_spans


def span(type_, start, end):
    return {"type": type_, "start": start, "end": end, "text": "x"}


def test_type_start_and_end_must_all_be_right():
    wanted = [[span("A", 0, 3), span("B", 4, 6), span("A", 7, 9)]]
    said = [[span("A", 0, 3), span("A", 4, 6), span("A", 7, 10)]]
    counts = count_spans(wanted, said)
    assert (counts.correct, counts.predicted, counts.expected) == ([1], [3], [3])
    assert counts.overall["f1"] == 1 / 3
    assert counts.per_class["B"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "correct": 0, "predicted": 0, "expected": 1}


def test_a_wrong_neighbour_does_not_take_an_exact_spans_place():
    counts = count_spans([[span("B", 3, 6)]], [[span("B", 2, 3), span("B", 3, 6)]])
    assert counts.correct == [1]


def test_no_spans_anywhere():
    counts = count_spans([[], []], [[], []])
    assert (counts.correct, counts.overall["f1"]) == ([0, 0], 0.0)


@st.composite
def side_by_side(draw):
    """Spans of one row that do not overlap."""
    cuts = sorted(draw(st.sets(st.integers(0, 30), max_size=10)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [span(draw(st.sampled_from("ABC")), start, end) for start, end in pairs]


@given(st.lists(st.tuples(side_by_side(), side_by_side()), min_size=1, max_size=5))
def test_counts_are_those_of_exact_matches_between_sets(rows):
    counts = count_spans([wanted for wanted, _ in rows], [said for _, said in rows])
    keys = [[{(s["type"], s["start"], s["end"]) for s in spans} for spans in row] for row in rows]
    assert counts.correct == [len(wanted & said) for wanted, said in keys]
    assert counts.overall["correct"] == sum(counts.correct)
    assert counts.predicted == [len(said) for _, said in keys]
