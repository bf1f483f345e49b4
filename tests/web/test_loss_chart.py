from hypothesis import given
from hypothesis import strategies as st

from brewslm.web import loss_chart
from brewslm.web.loss_chart import MOST_POINTS, LossSeries, options


def steps(first: int, last: int) -> list[dict]:
    return [{"kind": "step", "step": n, "loss": 1 / n} for n in range(first, last + 1)]


def test_what_is_sent_is_what_is_new():
    series = LossSeries()
    assert series.add(steps(1, 3))["loss"] == [[1, 1.0], [2, 0.5], [3, 0.33333]]
    more = series.add([*steps(4, 4), {"kind": "eval", "step": 4, "dev_loss": 0.5}])
    assert more == {"loss": [[4, 0.25]], "dev": [[4, 0.5]]}
    assert len(series.points["loss"]) == 4 and series.add([]) == {"loss": [], "dev": []}


def test_a_full_line_is_thinned_and_drawn_anew_and_then_grows_by_what_is_new():
    series = LossSeries()
    assert series.add(steps(1, MOST_POINTS)) is not None
    assert series.add(steps(MOST_POINTS + 1, MOST_POINTS + 1)) is None
    assert series.stride == 2 and all(step % 2 == 0 for step, _ in series.points["loss"])
    assert series.add(steps(MOST_POINTS + 2, MOST_POINTS + 5)) == {
        "loss": [[1002, round(1 / 1002, 5)], [1004, round(1 / 1004, 5)]], "dev": [],
    }  # fmt: skip


@given(st.lists(st.integers(0, 400), max_size=30))
def test_however_it_comes_a_line_stays_short_and_what_was_sent_is_what_is_kept(pages):
    series, drawn, at = LossSeries(), [], 0
    for size in pages:
        new = series.add(steps(at + 1, at + size))
        at += size
        drawn = list(series.points["loss"]) if new is None else drawn + new["loss"]
        assert drawn == series.points["loss"] and len(drawn) <= MOST_POINTS
    assert [step for step, _ in drawn] == [n for n in range(1, at + 1) if n % series.stride == 0]


def test_many_dev_points_are_thinned_too(monkeypatch):
    monkeypatch.setattr(loss_chart, "MOST_POINTS", 10)
    series = LossSeries()
    assert series.add([{"kind": "eval", "step": n, "dev_loss": 1.0} for n in range(1, 12)]) is None
    assert len(series.points["dev"]) == 5


def test_axes_have_units_loss_begins_at_zero_and_dev_loss_is_points():
    drawn = options({"loss": [[1, 2.0]], "dev": [[1, 1.5]]})
    assert drawn["xAxis"]["name"] == "optimizer step" and drawn["yAxis"]["name"] == "loss (nats a token)"
    assert drawn["yAxis"]["min"] == 0
    loss, dev = drawn["series"]
    assert (loss["type"], dev["type"]) == ("line", "scatter") and loss["showSymbol"]  # a line of one point would not be seen
