"""Whatever the weights say, the answer is JSON of the schema."""

import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brewslm.models.constrained import closing_room
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt

TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def fields(*names):
    properties = dict.fromkeys(names, TEXT_OR_NULL)
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


def spans(*types):
    properties = {"type": {"enum": list(types)}, "text": {"type": "string"}}
    entity = {"type": "object", "properties": properties, "required": ["type", "text"], "additionalProperties": False}
    return {"type": "array", "items": entity}


@pytest.fixture(scope="module")
def predictors(tiny_model):
    model, tokenizer = load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model)
    return [WeightsPredictor(model, tokenizer, style) for style in ("chat", "plain")]


def asked(*texts):
    return [Prompt(({"role": "user", "content": text},), plain=text) for text in texts]


SCHEMAS = st.lists(st.text(st.sampled_from('ab é"雪'), min_size=1, max_size=6), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.sampled_from([fields(*names), spans(*names)])
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schema=SCHEMAS, texts=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3), more=st.integers(0, 20))
def test_an_untrained_model_writes_json_of_the_schema_however_few_tokens_it_has(predictors, schema, texts, more):
    for predictor in predictors:
        for answer in predictor.generate(asked(*texts), closing_room(schema) + more, schema=schema):
            jsonschema.validate(json.loads(answer), schema)


def test_keys_come_in_order_without_white_space(predictors):
    (answer,) = predictors[0].generate(asked("x"), 40, schema=fields("b", "a"))
    assert answer == json.dumps(json.loads(answer), separators=(",", ":"), ensure_ascii=False)
    assert list(json.loads(answer)) == ["b", "a"]


def test_without_a_schema_the_answer_is_free(predictors):
    (answer,) = predictors[0].generate(asked("x"), 8)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer)
