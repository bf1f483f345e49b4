"""The seq2seq handler on rows."""

import pytest

from brewslm.handlers import handler_for
from brewslm.handlers.seq2seq import REWRITE
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason
from tests.handlers.scripted import Scripted

PAIRS = {"ein film": "a film", "der gute film ist gut": "the good film is good", "ein buch": "a book"}


def rows(**more):
    return [
        PreparedRow(row_id=f"r{n}", payload={"source_text": source, "target_text": target} | more)
        for n, (source, target) in enumerate(PAIRS.items())
    ]


@pytest.fixture
def handler():
    return handler_for("seq2seq", OutputSchema(scoring_mode="text"))


def test_the_figures_are_those_of_the_reference_libraries(handler):
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    said = {**PAIRS, "der gute film ist gut": "the film is good"}
    scores = handler.score(rows(), handler.predict(rows(), Scripted(said.__getitem__)))
    values = {name: metric.value for name, metric in scores.metrics.items()}
    wanted, answers = list(PAIRS.values()), list(said.values())
    assert values["chrf"] == pytest.approx(sacrebleu.corpus_chrf(answers, [wanted]).score / 100)
    assert values["bleu"] == pytest.approx(sacrebleu.corpus_bleu(answers, [wanted]).score / 100)
    rouge = RougeScorer(["rouge2"]).score("the good film is good", "the film is good")["rouge2"].fmeasure
    assert values["rouge_2"] == pytest.approx((1 + rouge + 1) / 3)
    assert values["exact_match"] == pytest.approx(2 / 3) and scores.row_correct == [True, False, True]
    assert set(values) == handler.metric_ids


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("translation", "Translate the text."),
        ("Summarization", "Summarize the text."),
        ("Write it as a limerick.", "Write it as a limerick."),
        ("x1", REWRITE),
        (None, REWRITE),
        (3, REWRITE),
    ],
)
def test_the_task_of_a_row_is_what_the_model_is_told(handler, task, told):
    payload = {"source_text": "ein film"} | ({} if task is None else {"task": task})
    assert handler.prompt(payload).messages == (
        {"role": "system", "content": told},
        {"role": "user", "content": "ein film"},
    )


def test_copying_and_the_nearest_text_are_baselines(handler):
    said = handler.baselines(rows(), [PreparedRow(row_id="r9", payload={"source_text": "das buch", "target_text": "the book"})])
    assert {name: answers[0].output for name, answers in said.items()} == {"copy": "das buch", "nearest_text": "a book"}


def test_a_row_without_one_of_the_texts_is_refused(handler):
    good = rows()[0].payload
    assert handler.check(good) is None
    assert handler.check(good | {"source_text": " "}) == RowReason.MISSING_SOURCE
    assert handler.check(good | {"target_text": 3}) == RowReason.MISSING_TARGET
