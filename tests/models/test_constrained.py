"""Whatever the weights say, the answer is JSON of the schema."""

import json

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.packing import common_prefix
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt
from brewslm.models.templates import answer_ids, end_token_id

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


@pytest.fixture(scope="module")
def tiny_tokenizer(tiny_base):
    return load_tokenizer(tiny_base)


def asked(*texts):
    return [Prompt(({"role": "user", "content": text},), plain=text) for text in texts]


SCHEMAS = st.lists(st.text(st.sampled_from('ab é"雪'), min_size=1, max_size=6), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.sampled_from([fields(*names), spans(*names)])
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schema=SCHEMAS, texts=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3), limit=st.integers(1, 20))
def test_an_untrained_model_writes_json_of_the_schema_however_few_tokens_it_has(predictors, schema, texts, limit):
    for predictor in predictors:
        for answer in predictor.generate(asked(*texts), limit, schema=schema):
            jsonschema.validate(json.loads(answer), schema)


def test_an_answer_has_all_its_tokens_before_it_is_closed(predictors):
    """A string that an untrained model would go on with for ever fills them, whatever must be closed after it."""
    (short,), (long,) = (predictors[0].generate(asked("x"), limit, schema=fields("b", "a")) for limit in (8, 40))
    kept = "".join(common_prefix([list(short), list(long)]))
    assert short == kept + '","a":""}' and len(long) > len(short)


def test_keys_come_in_order_without_white_space(predictors):
    (answer,) = predictors[0].generate(asked("x"), 40, schema=fields("b", "a"))
    assert answer == json.dumps(json.loads(answer), separators=(",", ":"), ensure_ascii=False)
    assert list(json.loads(answer)) == ["b", "a"]


def test_without_a_schema_the_answer_is_free(predictors):
    (answer,) = predictors[0].generate(asked("x"), 8)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer)


@settings(max_examples=60, deadline=None)
@given(values=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.none() | st.text(max_size=12)))
@example(values={"a": '\x7f\u2028\x00\\"/'})
def test_the_right_answer_can_always_be_written(tiny_tokenizer, values):
    """Token by token as it is learned: what the schema forbade could never be said."""
    from brewslm.models.constrained import _matcher, compact

    schema, end = fields(*values), end_token_id(tiny_tokenizer)
    answer = compact(values)
    assert json.loads(answer) == values
    ids = [*answer_ids(tiny_tokenizer, answer), end]
    matcher = _matcher(tiny_tokenizer, schema, end, len(tiny_tokenizer))
    assert matcher.validate_tokens(ids) == len(ids), answer
