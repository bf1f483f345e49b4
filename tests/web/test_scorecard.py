from brewslm.observe.gatewords import about, bound, condition, outcome
from brewslm.web import scorecard


def test_every_system_has_its_figure_and_its_interval_drawn(card):
    drawn = scorecard.options(card)
    *spans, points = drawn["series"]
    assert drawn["yAxis"]["data"] == ["majority", "base", "tuned"]  # the first category stands at the bottom
    assert [point["label"]["formatter"] for point in points["data"]] == ["50.0 % ± 4.9", "77.0 % ± 4.1", "90.2 % ± 2.9"]
    assert [[end[0] for end in span["data"]] for span in spans] == [[45.12, 54.88], [72.63, 80.85], [86.94, 92.79]]
    assert (drawn["xAxis"]["min"], drawn["xAxis"]["max"], drawn["xAxis"]["name"]) == (0, 100, "accuracy (%)")


def test_the_chart_is_said_in_words_too(card):
    assert scorecard.described(card) == "accuracy with 95 % intervals: tuned 90.2 %, base 77.0 %, majority 50.0 %"


def test_gates_are_said_with_the_bound_that_decided(card):
    said = [(about(one), condition(one), bound(one), outcome(one)) for one in card.gates]
    assert said == [
        ("accuracy", "≥ 80.0 %", "≥ 87.5 % (95 %)", "met"),
        ("accuracy", "better than base 77.0 %", "≥ +9.0 points (95 %)", "met"),
        (
            "accuracy",
            "at most 2.0 points behind baseline (base) 77.0 %",
            "≥ -3.0 points (95 %)",
            "undecided: too few rows to tell, optional",
        ),
        ("recall of refund", "≥ 90.0 %", "", "not met: no such class was measured, optional"),
    ]
    assert card.power.sentence == (
        "400 rows can tell 6.0 points between tuned and base, 3.7 points from a threshold (95 % sure, 80 % of the time)"
    )
