from datetime import UTC, datetime, timedelta

import pytest

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


def test_every_state_and_severity_has_an_icon_and_a_word():
    assert words.STAGE_SIGNS.keys() == set(StageState)
    assert words.SEVERITY_SIGNS.keys() == set(Severity)
