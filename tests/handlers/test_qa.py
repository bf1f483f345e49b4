"""The QA handler on rows."""

import pytest

from brewslm.handlers import handler_for
from brewslm.rows.manifest import OutputSchema, PreparedRow
from tests.handlers.scripted import Scripted

PAIRS = {"where is my order": "On its way.", "who are you": "A small model", "how do i get a refund": "Ask us for it"}


def rows():
    return [PreparedRow(row_id=f"r{n}", payload={"question": q, "answer": a}) for n, (q, a) in enumerate(PAIRS.items())]


@pytest.fixture
def handler():
    return handler_for("qa", OutputSchema(scoring_mode="text"))


def test_answers_are_compared_as_squad_does(handler):
    said = {**PAIRS, "where is my order": " on its way ", "who are you": "a model"}
    predictions = handler.predict(rows(), Scripted(said.__getitem__))
    scores = handler.score(rows(), predictions)
    assert predictions[0].output == "on its way"
    assert scores.row_correct == [True, False, True]
    assert scores.metrics["exact_match"].value == pytest.approx(2 / 3)
    assert scores.metrics["f1"].value == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert set(scores.metrics) == handler.metric_ids


def test_an_empty_answer_is_counted(handler):
    assert handler.predict(rows()[:1], Scripted(lambda _q: " \n"))[0].problems == {"empty": 1}


def test_the_answer_is_not_in_the_question(handler):
    assert handler.prompt(rows()[0].payload) == handler.prompt({"question": "where is my order"})


def test_the_nearest_known_question_is_a_baseline(handler):
    asked = [PreparedRow(row_id="r9", payload={"question": "i want a refund", "answer": "?"})]
    assert handler.baselines(rows(), asked)["nearest_question"][0].output == "Ask us for it"
