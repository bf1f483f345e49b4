from datetime import UTC, datetime, timedelta

import pytest

from brewslm.observe.figures import counted
from brewslm.observe.status import StageState
from brewslm.reasons import Severity
from brewslm.web import words

NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "just now"), (-3, "just now"), (5, "5 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"),
     (3600, "1 h ago"), (86_399, "23 h ago"), (86_400, "1 d ago"), (8_640_000, "100 d ago")],
)  # fmt: skip
def test_a_time_is_said_in_its_largest_whole_unit(seconds, said):
    assert words.ago(NOON - timedelta(seconds=seconds), NOON) == said


def test_the_hover_says_the_moment_in_utc():
    assert words.absolute(datetime.fromisoformat("2026-08-01T14:00:05+02:00")) == "2026-08-01 12:00:05 UTC"


def test_an_interval_is_said_as_half_its_width():
    assert words.with_interval(0.9025, 0.8694, 0.9279) == "90.2 % ± 2.9"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (9.94, "9.9 s"), (9.97, "10 s"), (59.4, "59 s"), (59.97, "1 min"), (124, "2 min 4 s"),
     (3599.7, "1 h 0 min"), (3900, "1 h 5 min")],
)  # fmt: skip
def test_a_duration_never_says_sixty_of_anything(seconds, said):
    assert words.duration(seconds) == said


def test_one_of_a_thing_is_said_in_the_singular():
    assert counted(1, "row") == "1 row" and counted(0, "row") == "0 rows" and counted(1_200, "row") == "1,200 rows"
    assert counted(1, "row was", "rows were") == "1 row was" and counted(2, "row was", "rows were") == "2 rows were"


def test_every_state_and_severity_has_an_icon_and_a_word():
    assert words.STAGE_SIGNS.keys() == set(StageState)
    assert words.SEVERITY_SIGNS.keys() == set(Severity)
