"""The classification handler on rows, with real baselines and a tiny real model."""

import pytest

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.rows.manifest import OutputSchema, PreparedRow
from tests.handlers.scripted import Scripted

GOOD, BAD = (
    ["great film", "a lovely film", "very good plot", "good acting"],
    ["dull film", "a boring film", "awful plot", "bad acting"],
)


def rows():
    labelled = [(text, "positive") for text in GOOD] + [(text, "negative") for text in BAD]
    return [PreparedRow(row_id=f"r{n}", payload={"text": text, "label": label}) for n, (text, label) in enumerate(labelled)]


@pytest.fixture
def handler():
    return handler_for("classification", OutputSchema(scoring_mode="label", labels=["negative", "positive"]))


def test_the_question_names_the_labels_and_never_the_answer(handler):
    prompt = handler.prompt({"text": "a slow film", "label": "negative"})
    assert prompt == handler.prompt({"text": "a slow film", "label": "positive"}) == handler.prompt({"text": "a slow film"})
    assert "negative or positive" in prompt.messages[0]["content"]
    assert prompt.messages[-1] == {"role": "user", "content": "a slow film"}
    assert prompt.plain.endswith("Label:")  # no space: the label brings its own


def test_a_long_list_of_labels_is_not_written_into_every_prompt():
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=[f"label{n}" for n in range(50)]))
    assert "label7" not in handler.prompt({"text": "x"}).messages[0]["content"]


def test_the_most_probable_label_is_the_answer(handler):
    predictions = handler.predict(rows(), Scripted(lambda text: "positive" if text in GOOD else "negative"))
    assert [p.output for p in predictions] == [row.payload["label"] for row in rows()]
    scores = handler.score(rows(), predictions)
    assert scores.metrics["accuracy"].value == scores.metrics["macro_f1"].value == 1.0
    assert scores.metrics["accuracy"].low < 0.7  # eight rows prove little
    assert set(scores.metrics) == handler.metric_ids


def test_wrong_rows_are_told_one_by_one(handler):
    predictions = [Prediction(row_id=row.row_id, output="positive") for row in rows()]
    scores = handler.score(rows(), predictions)
    assert scores.row_correct == [True] * 4 + [False] * 4
    assert scores.details["confusion"] == {"labels": ["negative", "positive"], "counts": [[0, 4], [0, 4]]}
    assert scores.details["per_class"]["positive"]["precision"] == 0.5


def test_a_label_that_training_never_saw_counts_as_wrong(handler):
    row = PreparedRow(row_id="r9", payload={"text": "meh", "label": "neutral"})
    scores = handler.score([row], [Prediction(row_id="r9", output="negative")])
    assert scores.metrics["accuracy"].value == 0.0
    assert scores.details["per_class"]["neutral"]["support"] == 1


def test_baselines_answer_without_a_language_model(handler):
    train = [*rows(), PreparedRow(row_id="r8", payload={"text": "dull and boring", "label": "negative"})]
    unseen = [
        PreparedRow(row_id="r9", payload={"text": "a boring dull plot", "label": "?"}),
        PreparedRow(row_id="r10", payload={"text": "good, lovely acting", "label": "?"}),
    ]
    answers = handler.baselines(train, unseen)
    assert [p.output for p in answers["majority"]] == ["negative", "negative"]
    assert [p.output for p in answers["tfidf_logreg"]] == ["negative", "positive"]
    assert sum(answers["tfidf_logreg"][0].scores.values()) == pytest.approx(1)


def test_of_one_class_there_is_nothing_to_regress(handler):
    assert set(handler.baselines(rows()[:4], rows())) == {"majority"}


def test_a_real_model_gives_probabilities_over_the_labels(handler, tiny_model):
    from brewslm.models.loading import load_model, load_tokenizer
    from brewslm.models.predictors import WeightsPredictor

    for style in ("chat", "plain"):
        predictor = WeightsPredictor(load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model), style)
        predictions = handler.predict(rows(), predictor)
        assert [p.row_id for p in predictions] == [row.row_id for row in rows()]
        assert all(sum(p.scores.values()) == pytest.approx(1, abs=1e-5) for p in predictions)
        assert all(p.scores[p.output] == max(p.scores.values()) for p in predictions)
