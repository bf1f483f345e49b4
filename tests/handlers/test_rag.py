"""The handler of answers from passages, on rows."""

import numpy as np
import pytest
import yaml

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.eval_pack import load_eval_pack
from brewslm.mappers.rag_passthrough import NOT_IN_CONTEXT, RagPassthrough
from brewslm.metrics.grounding import says_not_known, support
from brewslm.models.sentences import sentence_vectors
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason
from brewslm.stages.evaluate import EvaluateJob
from brewslm.stages.evaluate.answers import by_rule
from brewslm.stages.evaluate.run import _by_vectors

CONTEXT = "The shop opens at nine.\n\nRefunds take two weeks.\n \nThe manager is Ana Lopez."
ROWS = [
    PreparedRow(row_id="r0", payload={"question": "How long do refunds take?", "context": CONTEXT, "answer": "two weeks"}),
    PreparedRow(row_id="r1", payload={"question": "Who is the manager?", "context": CONTEXT, "answer": "Ana Lopez."}),
    PreparedRow(row_id="r2", payload={"question": "Who is the owner?", "context": CONTEXT, "answer": NOT_IN_CONTEXT}),
]


class Says:
    """Answers by the row's place."""

    def __init__(self, *answers):
        self.answers = answers

    def generate(self, prompts, max_new_tokens, schema=None):
        return list(self.answers)


@pytest.fixture
def handler():
    return handler_for("rag_qa", OutputSchema(scoring_mode="text"))


def score(handler, *answers):
    scores = handler.score(ROWS, handler.predict(ROWS, Says(*answers)))
    return scores, {name: metric.value for name, metric in scores.metrics.items()}


def test_passages_are_numbered_before_the_question(handler):
    asked = handler.prompt(ROWS[0].payload).messages[-1]["content"]
    assert asked == (
        "[1] The shop opens at nine.\n[2] Refunds take two weeks.\n[3] The manager is Ana Lopez.\n\n"
        "Question: How long do refunds take?"
    )


def test_the_answer_cites_the_passage_that_has_its_words_and_a_refusal_cites_none(handler):
    assert [handler.completion(row.payload) for row in ROWS] == ["[2] two weeks", "[3] Ana Lopez.", NOT_IN_CONTEXT]


def test_right_answers_with_right_passages_and_refusals(handler):
    scores, values = score(handler, "[2] two weeks", "[3] Ana Lopez", "The context does not say")
    assert scores.row_correct == [True] * 3
    assert values == {
        "f1": 1, "answer_f1": 1, "exact_match": 1, "citation_accuracy": 1, "faithfulness": 1, "appropriate_refusal_rate": 1,
        "wrongly_refused_rate": 0, "unsupported_rate": 0, "context_recall": 1,
    }  # fmt: skip
    assert set(values) == handler.metric_ids


def test_a_wrong_passage_an_invented_answer_and_a_wrong_refusal_are_told_apart(handler):
    scores, values = score(handler, "[1] two weeks", NOT_IN_CONTEXT, "[3] Bob Lopez")
    assert scores.row_correct == [False] * 3
    assert values["f1"] == pytest.approx(1 / 3) and values["answer_f1"] == 0.5
    assert (values["citation_accuracy"], values["wrongly_refused_rate"], values["appropriate_refusal_rate"]) == (0, 0.5, 0)
    assert values["faithfulness"] == pytest.approx((0 + 1 / 2) / 2)
    assert (values["unsupported_rate"], values["context_recall"]) == (0.25, 1)


def test_an_answer_without_or_with_an_impossible_citation_is_not_faithful(handler):
    predictions = handler.predict(ROWS, Says("two weeks", "[9] Ana Lopez", ""))
    assert [one.problems for one in predictions] == [{"no_citation": 1}, {}, {"empty": 1}]
    assert handler.score(ROWS, predictions).metrics["faithfulness"].value == 0


def test_refusing_and_copying_the_nearest_passage_are_baselines(handler):
    said = handler.baselines(ROWS, ROWS[:1])
    assert said["always_refuse"][0].output == {"answer": "", "citation": None}
    assert said["nearest_passage"][0].output == {"answer": "Refunds take two weeks.", "citation": 2}


def test_an_answer_that_no_passage_supports_is_not_learned(handler):
    assert [handler.check(row.payload) for row in ROWS] == [None] * 3
    good = ROWS[0].payload
    assert handler.check(good | {"answer": "three days"}) == RowReason.ANSWER_UNSUPPORTED
    assert handler.check(good | {"context": "\n\n"}) == RowReason.MISSING_CONTEXT
    assert handler.check(good | {"question": ""}) == RowReason.MISSING_QUESTION
    assert handler.check(good | {"answer": None}) == RowReason.MISSING_ANSWER


@pytest.mark.parametrize("value", [False, "no", 0, "False"])
def test_a_plain_data_file_says_that_a_question_has_no_answer_there(handler, value):
    mapper = RagPassthrough({name: name for name in ("question", "context", "answer", "answerable")})
    row = {"question": "Who is the owner?", "context": CONTEXT, "answer": "", "answerable": value}
    payload = mapper.map(row)
    assert payload["answer"] == NOT_IN_CONTEXT and handler.check(payload) is None
    assert mapper.map(row | {"answer": "Ana", "answerable": True})["answer"] == "Ana"


@pytest.mark.parametrize(
    ("answer", "none"),
    [
        ("", True), ("The context doesn’t say that.", True), ("I don't know", True), ("Unanswerable.", True), ("no answer", True),
        ("The context is a shop.", False), ("No, it opens at nine.", False), ("Unanswerables are few", False),
    ],
)  # fmt: skip
def test_what_counts_as_no_answer(answer, none):
    assert says_not_known(answer, NOT_IN_CONTEXT) is none


def test_support_is_the_share_of_content_words():
    assert support("the manager is Ana", "Ana is a MANAGER") == 1
    assert support("the manager is Bob", "Ana is a manager") == 0.5
    assert support("...", "anything") == 0


def test_by_vectors_an_answers_sentences_are_held_against_those_of_the_passages(handler):
    """Of a stand-in for the encoder that knows only which topic a sentence is about."""

    def vectors(texts):
        topics = ("refund", "manager", "opens")
        return np.array([[float(topic in text.lower()) for topic in topics] for text in texts])

    predictions = handler.predict(ROWS, Says("[2] Refunds are slow. Ask a lawyer.", "The manager is Ana.", NOT_IN_CONTEXT))
    figure = handler.by_vectors(ROWS, predictions, vectors)["sentence_faithfulness"]
    assert (figure.value, figure.n) == (0.75, 2)
    assert set(handler.by_vectors(ROWS, predictions, vectors)) == handler.by_vectors_ids


def test_a_pack_may_ask_for_sentence_vectors_and_only_then_gate_on_them(tmp_path):
    gate = {"gate_id": "g", "metric_id": "sentence_faithfulness", "operator": "gte", "threshold": 0.5}
    spec = {"task_profile": "rag_qa", "gates": [gate]}
    head = {"contract_version": "slm.evaluation-pack/v2", "pack_id": "mine", "display_name": "Mine", "description": "a test"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(head | {"task_specs": [spec | {"sentence_vectors": True}]}))
    assert load_eval_pack(str(path)).spec("rag_qa").sentence_vectors
    path.write_text(yaml.safe_dump(head | {"task_specs": [spec]}))
    with pytest.raises(StageError, match="can't be used"):
        load_eval_pack(str(path))


def test_a_pack_with_a_rubric_may_gate_on_the_judges_metric(tmp_path):
    gate = {"gate_id": "g", "metric_id": "judge_win_rate", "operator": "gte", "threshold": 0.5}
    spec = {"task_profile": "rag_qa", "gates": [gate]}
    head = {"contract_version": "slm.evaluation-pack/v2", "pack_id": "mine", "display_name": "Mine", "description": "a test"}
    path = tmp_path / "mine.yaml"
    for judge, is_right in (({"rubric": "Be right.", "mode": "pairwise"}, True), ({"rubric": "Be right."}, False), (None, False)):
        path.write_text(yaml.safe_dump(head | {"task_specs": [spec | ({"judge": judge} if judge else {})]}))
        if is_right:
            assert load_eval_pack(str(path)).spec("rag_qa").judge.metric == "judge_win_rate"
        else:
            with pytest.raises(StageError, match="can't be used"):
                load_eval_pack(str(path))


def test_the_encoder_itself_tells_an_answer_that_the_passages_say_from_one_that_they_do_not(handler):
    answers = ("[2] Refunds take two weeks.", "[3] The manager was born in Lisbon in winter.", "[1] Penguins swim.")
    found = handler.by_vectors(ROWS, handler.predict(ROWS, Says(*answers)), sentence_vectors)["sentence_faithfulness"]
    assert [float(found.of([place == row for place in range(3)]).value) for row in (0, 2)] == [1.0, 0.0]


def test_an_evaluation_adds_it_to_every_system_where_the_pack_asks_for_it(handler):
    pack = load_eval_pack("rag_qa")
    asked = pack.model_copy(
        update={"task_specs": tuple(one.model_copy(update={"sentence_vectors": True}) for one in pack.task_specs)}
    )
    predictions = handler.predict(ROWS, Says("[2] two weeks", "[3] Ana Lopez.", NOT_IN_CONTEXT))
    systems = {name: by_rule(handler, ROWS, predictions, 0.0) for name in ("tuned", "base")}
    for one, ids in ((pack, set()), (asked, {"sentence_faithfulness"})):
        found = _by_vectors(EvaluateJob.model_construct(pack=one), handler, ROWS, systems)
        for system in found.values():
            assert set(system.scores.metrics) - set(systems["tuned"].scores.metrics) == ids
