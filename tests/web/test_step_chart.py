from hypothesis import given
from hypothesis import strategies as st

from brewslm.web import step_chart
from brewslm.web.run_charts import SMALL
from brewslm.web.step_chart import LOSS, MOST_POINTS, StepSeries, options


def steps(first: int, last: int) -> list[dict]:
    return [{"kind": "step", "step": n, "loss": 1 / n} for n in range(first, last + 1)]


def test_what_is_sent_is_what_is_new():
    series = StepSeries()
    assert series.add(steps(1, 3))["loss"] == [[1, 1.0], [2, 0.5], [3, 0.33333]]
    more = series.add([*steps(4, 4), {"kind": "eval", "step": 4, "dev_loss": 0.5}])
    assert more == {"loss": [[4, 0.25]], "dev": [[4, 0.5]]}
    assert len(series.points["loss"]) == 4 and series.add([]) == {"loss": [], "dev": []}


def test_a_full_line_is_thinned_and_drawn_anew_and_then_grows_by_what_is_new():
    series = StepSeries()
    assert series.add(steps(1, MOST_POINTS)) is not None
    assert series.add(steps(MOST_POINTS + 1, MOST_POINTS + 1)) is None
    assert series.stride == 2 and all(step % 2 == 0 for step, _ in series.points["loss"])
    assert series.add(steps(MOST_POINTS + 2, MOST_POINTS + 5)) == {
        "loss": [[1002, 0.000998], [1004, 0.00099602]], "dev": [],
    }  # fmt: skip


@given(st.lists(st.integers(0, 400), max_size=30))
def test_however_it_comes_a_line_stays_short_and_what_was_sent_is_what_is_kept(pages):
    series, drawn, at = StepSeries(), [], 0
    for size in pages:
        new = series.add(steps(at + 1, at + size))
        at += size
        drawn = list(series.points["loss"]) if new is None else drawn + new["loss"]
        assert drawn == series.points["loss"] and len(drawn) <= MOST_POINTS
    assert [step for step, _ in drawn] == [n for n in range(1, at + 1) if n % series.stride == 0]


def test_many_dev_points_are_thinned_too(monkeypatch):
    monkeypatch.setattr(step_chart, "MOST_POINTS", 10)
    series = StepSeries()
    assert series.add([{"kind": "eval", "step": n, "dev_loss": 1.0} for n in range(1, 12)]) is None
    assert len(series.points["dev"]) == 5


def test_axes_have_units_loss_begins_at_zero_and_dev_loss_is_points():
    drawn = options({"loss": [[1, 2.0]], "dev": [[1, 1.5]]})
    assert drawn["xAxis"]["name"] == "optimizer step" and drawn["yAxis"]["name"] == "loss (nats a token)"
    assert drawn["yAxis"]["min"] == 0
    loss, dev = drawn["series"]
    assert (loss["type"], dev["type"]) == ("line", "scatter") and loss["showSymbol"]  # a line of one point would not be seen


def test_a_field_is_drawn_in_its_own_unit_and_a_line_that_lacks_it_is_passed_over():
    memory = next(drawing for drawing in SMALL if drawing.title == "Memory")
    series = StepSeries(memory)
    lines = [{"kind": "step", "step": 1, "memory_bytes": 3 * 2**29}, {"kind": "step", "step": 2}, {"kind": "eval", "step": 2}]
    assert series.add(lines) == {"memory": [[1, 1.5]]}
    assert memory.say(1.5) == "1.5 GB" and options(series.points, memory)["yAxis"]["name"] == "GB of the process"


def test_small_figures_keep_their_digits():
    rate = next(drawing for drawing in SMALL if drawing.title == "Learning rate")
    series = StepSeries(rate)
    assert series.add([{"kind": "step", "step": 1, "learning_rate": 0.00004789123}]) == {"learning_rate": [[1, 4.7891e-05]]}
    assert StepSeries(LOSS).add([]) == {"loss": [], "dev": []}
