"""The reference page of reason codes, and that none lacks its sentences."""

from pathlib import Path

import pytest

from brewslm.observe.reasons import every_reason, page

CHECKED_IN = Path(__file__).parents[2] / "docs" / "reasons.md"


def test_the_page_that_is_checked_in_is_that_of_the_code():
    assert CHECKED_IN.read_text() == page(), "run: python -m brewslm.observe.reasons > docs/reasons.md"


@pytest.mark.parametrize("reason", [one for one in every_reason() if one.kind == "row"], ids=lambda one: one.code)
def test_a_row_reason_says_what_was_wrong_and_what_to_do(reason):
    assert reason.meaning[0].isupper() and reason.meaning.endswith(".")
    assert reason.remedy[0].isupper() and reason.remedy.endswith(".")
