"""The span_set handler on rows."""

import pytest

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.rows.manifest import OutputSchema, PreparedRow
from tests.handlers.scripted import Scripted

TEXT = "12 elm street springfield"


def row(row_id="r1", text=TEXT):
    words, spans, start = text.split(), [], 0
    for type_, word in zip(("Number", "Name", "Type", "City"), words, strict=False):
        spans.append({"type": type_, "start": start, "end": start + len(word), "text": word})
        start += len(word) + 1
    return PreparedRow(row_id=row_id, payload={"text": text, "entities_json": {"entities": spans}})


@pytest.fixture
def handler():
    schema = OutputSchema(scoring_mode="span_set", entity_types=["City", "Name", "Number", "Type"])
    return handler_for("structured_extraction", schema)


def test_a_perfect_answer_gives_the_spans_back(handler):
    predictions = handler.predict([row()], Scripted(lambda _text: handler.completion(row().payload)))
    assert predictions[0].output == handler.expected(row().payload)
    scores = handler.score([row()], predictions)
    assert {metric.value for metric in scores.metrics.values()} == {1.0}
    assert set(scores.metrics) == handler.metric_ids
    assert scores.details["alignable_rows"] == 1


def test_what_can_not_be_aligned_counts_as_predicted_and_wrong(handler):
    said = '[{"type":"Number","text":"12"},{"type":"City","text":"Shelbyville"}]'
    predictions = handler.predict([row()], Scripted(lambda _text: said))
    assert predictions[0].problems == {"unaligned": 1}
    assert predictions[0].output == [{"type": "Number", "start": 0, "end": 2, "text": "12"}]
    scores = handler.score([row()], predictions)
    assert scores.metrics["precision"].value == 0.5
    assert scores.metrics["recall"].value == 0.25
    assert scores.metrics["f1"].value == pytest.approx(1 / 3)
    assert set(scores.details["per_class"]) == {"City", "Name", "Number", "Type"}
    assert scores.details["problems"] == {"unaligned": 1}


def test_an_unknown_type_and_broken_json_are_counted(handler):
    said = '[{"type":"Planet","text":"elm"},{"type":'
    predictions = handler.predict([row()], Scripted(lambda _text: said))
    assert predictions[0].problems == {"invalid_json": 1, "unknown_type": 1}
    scores = handler.score([row()], predictions)
    assert scores.metrics["json_validity_rate"].value == 0.0
    assert scores.metrics["precision"].value == 0.0
    assert scores.row_correct == [False]


def test_a_row_without_spans_is_right_when_none_is_said(handler):
    empty = PreparedRow(row_id="r2", payload={"text": "hello", "entities_json": {"entities": []}})
    scores = handler.score([empty], handler.predict([empty], Scripted(lambda _text: "[]")))
    assert scores.row_correct == [True]


def test_answers_come_in_the_order_of_the_rows_and_longer_texts_may_write_more(handler):
    rows = [row(f"r{n}", TEXT + " and more" * (70 - n)) for n in range(70)]
    scripted = Scripted(lambda text: f'[{{"type":"Number","text":"{text.split()[0]}"}}]')
    predictions = handler.predict(rows, scripted)
    assert [p.row_id for p in predictions] == [r.row_id for r in rows]
    assert scripted.limits == sorted(scripted.limits) and len(scripted.limits) == 3


def test_a_real_model_babbles_without_harm(handler, tiny_model):
    from brewslm.models.loading import load_model, load_tokenizer
    from brewslm.models.predictors import WeightsPredictor

    predictor = WeightsPredictor(load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model))
    scores = handler.score([row()], handler.predict([row()], predictor))
    assert scores.metrics["f1"].value == 0.0
    assert scores.metrics["json_validity_rate"].value == 1.0, "what it writes is held to the schema"


def test_an_unknown_profile_or_scoring_mode_is_refused():
    for profile, mode in (("translation", "text"), ("structured_extraction", "label")):
        with pytest.raises(StageError, match="invalid_request") as refused:
            handler_for(profile, OutputSchema(scoring_mode=mode))
        assert refused.value.reason.exit_code == 2
