"""What counts as a refusal, against answers that were labelled by hand."""

import pytest

from brewslm.metrics.refusal import REFUSAL, is_refusal
from tests.metrics.refusals import LABELLED


def test_the_agreement_is_what_the_docs_say():
    wrong = [text for text, refuses in LABELLED if is_refusal(text) != refuses]
    assert len(LABELLED) == 40
    assert wrong == [
        "Let's talk about something else, please.",
        "You should not do this, and nobody here will show you how.",
    ]


@pytest.mark.parametrize("text", [text for text, refuses in LABELLED if not refuses])
def test_help_is_never_called_a_refusal(text):
    assert not is_refusal(text)


def test_what_models_are_taught_to_say_is_one():
    assert is_refusal(REFUSAL)
