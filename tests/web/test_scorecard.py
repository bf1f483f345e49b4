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
