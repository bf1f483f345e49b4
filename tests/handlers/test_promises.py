"""What every handler promises: the answer is not in the question, what is learned is the answer and its stop token alone,
training sees the ids that serving does, and any row is either taken or rejected with a reason."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brewslm.handlers import HANDLERS
from brewslm.handlers.examples import example_of, pair_of
from brewslm.models.loading import load_tokenizer
from brewslm.models.packing import Example, Pair
from brewslm.models.prompt import WHOLE_TEXT
from brewslm.models.templates import answer_ids, end_token_id, prompt_ids
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason
from tests.handlers.cases import CASES
from tests.handlers.test_media_handlers import KINDS

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
LONGEST = 512


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return load_tokenizer(tiny_base)


@pytest.fixture(params=CASES, scope="module")
def case(request):
    return CASES[request.param]


def good_payload(case, data):
    payload = case.payload(data.draw(case.good))
    assume(payload is not None and case.handler().check(payload) is None)
    return payload


def made_of(payload, handler, tokenizer):
    """What a causal model is trained on: an example, a pair of them, or why there is none."""
    make = pair_of if handler.objective == "preference" else example_of
    return make(PreparedRow(row_id="r", payload=payload), handler, tokenizer, LONGEST)


def test_every_handler_is_held_to_what_is_promised():
    held = {type(case.handler()) for case in CASES.values()}
    assert held == {one for profile, known in HANDLERS.items() if profile not in KINDS for one in known}


@quick
@given(data=st.data())
def test_the_answer_is_not_in_the_question(case, data):
    payload, handler = good_payload(case, data), case.handler()
    if case.answers and not handler.every_turn:
        assert handler.prompt({key: value for key, value in payload.items() if key not in case.answers}) == handler.prompt(
            payload
        )
    assert handler.question(payload)


@quick
@given(data=st.data())
def test_what_is_learned_is_the_answer_and_its_stop_token_after_the_ids_of_serving(case, tokenizer, data):
    payload, handler = good_payload(case, data), case.handler()
    made = made_of(payload, handler, tokenizer)
    assume(isinstance(made, Example | Pair))
    asked = prompt_ids(tokenizer, handler.prompt(payload))
    answers = [handler.completion(payload), *([handler.worse(payload)] if handler.objective == "preference" else [])]
    for example, text in zip(made.sequences, answers, strict=True):
        answer = [*answer_ids(tokenizer, text), end_token_id(tokenizer)]
        assert example.ids == asked + answer
        assert tokenizer.decode(answer[:-1]).replace("\u2060", "") == text.replace("\u2060", ""), "it does not come back whole"
        learned = [label for label in example.labels() if label != -100]
        assert learned[-len(answer) :] == answer
        if not handler.every_turn:
            assert learned == answer and example.prompt_length == (1 if handler.prompt(payload) == WHOLE_TEXT else len(asked))


@quick
@given(data=st.data())
def test_any_row_of_the_mapper_is_taken_or_rejected_with_a_reason(case, tokenizer, data):
    payload = case.payload(data.draw(case.odd | case.good))
    if payload is None:
        return
    handler, preset = case.handler(), case.adapter()
    reason = handler.check(payload)
    assert reason is None or isinstance(reason, RowReason)
    assert isinstance(preset.text(payload), str)
    if reason is None and preset.target(payload).strip():
        assert isinstance(made_of(payload, handler, tokenizer), Example | Pair | RowReason)


class Perfect:
    """Says the right answer to every prompt that it knows, and counts what it is asked."""

    def __init__(self, handler, rows):
        self.asked = 0
        said = [(str(handler.prompt(row.payload)), handler.completion(row.payload)) for row in rows]
        self._known, self._right = dict(said), set(said)

    def generate(self, prompts, max_new_tokens, schema=None):
        self.asked += len(prompts)
        return [self._known[str(prompt)] for prompt in prompts]

    def label_scores(self, prompts, labels):
        self.asked += len(prompts)
        return [[float(label == self._known[str(prompt)]) for label in labels] for prompt in prompts]

    def log_likelihoods(self, prompts, completions):
        self.asked += len(prompts)
        asked = zip(map(str, prompts), completions, strict=True)
        return [(-0.0 if pair in self._right else -9.0, len(pair[1]) + 1) for pair in asked]


@quick
@given(data=st.data())
def test_the_right_answers_score_best_and_every_metric_is_a_known_one(case, data):
    handler = case.handler()
    rows = [PreparedRow(row_id=f"r{place}", payload=good_payload(case, data)) for place in range(3)]
    assume(len({str(handler.prompt(row.payload)) for row in rows}) == 3 or handler.prompt(rows[0].payload) == WHOLE_TEXT)
    perfect = Perfect(handler, rows)
    predictions = handler.predict(rows, perfect)
    assert perfect.asked == handler.asks_per_row * len(rows)
    assert [prediction.row_id for prediction in predictions] == ["r0", "r1", "r2"]
    scores = handler.score(rows, predictions)
    assert set(scores.metrics) <= handler.metric_ids and handler.primary_metric in scores.metrics
    assert scores.metrics[handler.primary_metric].value == pytest.approx(1.0)
    assert all(metric.low <= metric.value + 1e-9 and metric.value <= metric.high + 1e-9 for metric in scores.metrics.values())
    assert all(set(own) == handler.class_metric_ids for own in scores.by_class.values())
    assert all(len(figure.counts) == 3 for figure in scores.figures.values()), "a figure must be of every row, to be sliced"
    assert set(handler.baselines(rows, rows)) <= handler.baseline_ids
