"""The field_match handler on rows."""

import json

import pytest

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason
from tests.handlers.scripted import Scripted

FIELDS = ["total", "date", "seller"]


def row(text, row_id="r1", **values):
    entities = [{"field": name, "value": value} for name, value in values.items()]
    return PreparedRow(row_id=row_id, payload={"text": text, "entities_json": {"entities": entities}, "fields": FIELDS})


ROWS = [row("Elm: 12.50 on 3 May", total="12.50", date="3 May", seller="Elm"), row("Oak, 7.00", "r2", total="7.00", seller="Oak")]


@pytest.fixture
def handler():
    return handler_for("structured_extraction", OutputSchema(scoring_mode="field_match", fields=FIELDS))


def test_the_answer_names_every_field_in_order_and_null_where_the_text_has_none(handler):
    assert handler.completion(ROWS[1].payload) == '{"total":"7.00","date":null,"seller":"Oak"}'
    assert "total, date, seller" in handler.prompt(ROWS[0].payload).messages[0]["content"]
    assert handler.prompt(ROWS[0].payload).messages[1]["content"] == "Elm: 12.50 on 3 May"


def test_a_missing_a_wrong_and_an_invented_value_are_counted_field_by_field(handler):
    said = {
        ROWS[0].payload["text"]: '{"total":"12.50","date":null,"seller":"Elm Ltd"}',
        ROWS[1].payload["text"]: '{"total":" 7.00 ","date":"May","seller":"Oak"}',
    }
    scores = handler.score(ROWS, handler.predict(ROWS, Scripted(said.__getitem__)))
    metrics = {name: metric.value for name, metric in scores.metrics.items()}
    # right: total, total, seller; said: 2 + 3; to be said: 3 + 2
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == pytest.approx(3 / 5)
    assert (metrics["exact_match"], metrics["json_validity_rate"], metrics["schema_compliance_rate"]) == (0, 1, 1)
    assert scores.details["per_field"]["seller"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert scores.details["per_field"]["date"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert set(scores.metrics) == handler.metric_ids


def test_micro_f1_is_scikit_learns_over_pairs_of_field_and_value(handler):
    from sklearn.metrics import f1_score
    from sklearn.preprocessing import MultiLabelBinarizer

    said = [{"total": "12.50", "date": "4 May", "seller": None}, {"total": "7.00", "date": None, "seller": "Oak"}]
    predictions = [Prediction(row_id=one.row_id, output=values) for one, values in zip(ROWS, said, strict=True)]
    wanted = [handler.expected(one.payload) for one in ROWS]
    pairs = [[(name, value) for name, value in row.items() if value] for row in (*wanted, *said)]
    table = MultiLabelBinarizer().fit_transform(pairs)
    expected = f1_score(table[:2], table[2:], average="micro")
    assert handler.score(ROWS, predictions).metrics["f1"].value == pytest.approx(expected)


def test_what_is_no_json_or_not_of_the_schema_is_counted(handler):
    raw = iter(["Sure! Here", '{"total":["7.00"]}'])
    predictions = handler.predict(ROWS, Scripted(lambda _text: next(raw)))
    assert [one.problems for one in predictions] == [{"invalid_json": 1}, {"off_schema": 1}]
    assert predictions[0].output == dict.fromkeys(FIELDS)
    scores = handler.score(ROWS, predictions)
    assert scores.metrics["json_validity_rate"].value == 0.5 and scores.metrics["schema_compliance_rate"].value == 0


def test_a_real_untrained_model_writes_nothing_but_the_schema(handler, tiny_model):
    from brewslm.models.loading import load_model, load_tokenizer
    from brewslm.models.predictors import WeightsPredictor

    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    for style in ("chat", "plain"):
        predictions = handler.predict(ROWS, WeightsPredictor(model, tokenizer, style))
        assert all(list(json.loads(one.raw)) == FIELDS and not one.problems for one in predictions)


def test_baselines_are_each_fields_commonest_value_and_the_nearest_texts(handler):
    train = [*ROWS, row("Elm: 9.00", "r3", total="9.00", seller="Elm")]
    said = handler.baselines(train, [row("Oak, 8.00", "r4")])
    assert said["majority"][0].output == {"total": "12.50", "date": None, "seller": "Elm"}
    assert said["nearest_text"][0].output == {"total": "7.00", "date": None, "seller": "Oak"}


def test_rows_without_values_or_with_spans_are_refused(handler):
    assert handler.check(ROWS[0].payload) is None
    assert handler.check(ROWS[0].payload | {"text": " "}) == RowReason.MISSING_TEXT
    for entities in ([], [{"type": "total", "start": 0, "end": 1, "text": "1"}], [{"field": "total", "value": 3}]):
        payload = ROWS[0].payload | {"entities_json": {"entities": entities}}
        assert handler.check(payload) == RowReason.NO_FIELDS_EXTRACTED
    assert handler.check(ROWS[0].payload | {"entities_json": "no"}) == RowReason.NO_FIELDS_EXTRACTED
