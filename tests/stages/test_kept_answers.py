"""Answers that are kept as they are made, and taken up again; on a predictor that answers from a rule."""

from collections import Counter

import pytest

from brewslm.models.prompt import WHOLE_TEXT, Answered, Prompt, SendsMessages
from brewslm.stages.evaluate.kept import KeptAnswers

PROMPTS = [Prompt(({"role": "user", "content": f"question {number}"},), f"question {number}:") for number in range(7)]
LABELS = ["a", "b"]
BATCH_ENDS = (2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 20, 21)
"""Answers that are there after each batch: a batch of which a line is missing is asked again."""


class Stopped(Exception):
    """The predictor was cut off."""


class Ruled(SendsMessages):
    """Answers two at a time, the last ones first, and is cut off after so many."""

    template_sha256 = "t" * 64

    def __init__(self, listener, asked, most=10**6):
        self._listener, self.asked, self._left = listener, asked, most

    def label_scores(self, prompts, labels):
        return self._each(prompts, lambda prompt: [float(len(prompt.plain) % 2), 1 - float(len(prompt.plain) % 2)])

    def generate(self, prompts, max_new_tokens, schema=None):
        return self._each(prompts, lambda prompt: f"said {prompt.plain[:max_new_tokens]}")

    def log_likelihoods(self, prompts, completions):
        sums = iter(completions)
        return self._each(prompts, lambda prompt: (-0.1 * len(next(sums)) - 1 / 3, 4))

    def _each(self, prompts, answer):
        answers = [answer(prompt) for prompt in prompts]
        places = list(range(len(prompts)))
        while places:
            batch, places = places[-2:], places[:-2]
            if self._left <= 0:
                raise Stopped
            self._left -= len(batch)
            self.asked.update(prompts[place].plain for place in batch)
            self._listener(
                [Answered(at, answers[at], "free_text", "end", prompt_tokens=3, tokens=2, seconds=0.5) for at in batch]
            )  # fmt: skip
        return answers


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tuned.jsonl"


def work(predictor):
    """What a handler does that asks twice."""
    return (
        predictor.generate(PROMPTS, 99),
        predictor.log_likelihoods(PROMPTS, [prompt.plain[-2] for prompt in PROMPTS]),
        predictor.label_scores(PROMPTS, LABELS),
    )


def kept(path, asked, most=10**6, made_from="the job", told=None):
    return KeptAnswers(path, made_from, lambda listener: Ruled(listener, asked, most), ([] if told is None else told).append)


def straight():
    return work(Ruled(lambda _: None, Counter()))


def test_it_answers_as_the_predictor_behind_it_does(path):
    with kept(path, Counter()) as predictor:
        assert work(predictor) == straight()


@pytest.mark.parametrize("most", range(1, 21, 3))
def test_whoever_is_cut_off_goes_on_and_no_prompt_is_put_twice(path, most):
    asked, told = Counter(), []
    with pytest.raises(Stopped), kept(path, asked, most) as predictor:
        work(predictor)
    with kept(path, asked, told=told) as predictor:
        assert work(predictor) == straight()
    assert asked == Counter({prompt.plain: 3 for prompt in PROMPTS})
    assert sum(told) == 21, "kept answers are told of too"


def test_a_line_that_was_cut_off_at_any_byte_is_asked_again_and_all_before_it_stands(tmp_path):
    whole = tmp_path / "whole.jsonl"
    with kept(whole, Counter()) as predictor:
        work(predictor)
    data = whole.read_bytes()
    for cut in range(0, len(data), 61):
        torn, asked = tmp_path / f"{cut}.jsonl", Counter()
        torn.write_bytes(data[:cut])
        with kept(torn, asked) as predictor:
            assert work(predictor) == straight()
        whole_lines = data[:cut].count(b"\n") - 1
        assert asked.total() == 21 - max(end for end in (0, *BATCH_ENDS) if end <= max(0, whole_lines))
        assert torn.read_bytes().count(b"\n") == 22, "each answer is there once"


def test_when_all_is_answered_no_model_is_made(path):
    with kept(path, Counter()) as predictor:
        work(predictor)
    with KeptAnswers(path, "the job", lambda _: pytest.fail("it was loaded"), lambda _: None) as predictor:
        assert work(predictor) == straight()


@pytest.mark.parametrize("other", ["another manifest", "another adapter", "another pack"])
def test_answers_of_another_job_are_not_taken_over(path, other):
    with kept(path, Counter(), made_from=other) as predictor:
        work(predictor)
    asked = Counter()
    with kept(path, asked) as predictor:
        assert work(predictor) == straight()
    assert asked.total() == 21
    assert path.read_bytes().count(b"\n") == 22


def test_an_answer_to_another_question_is_not_taken_over(path):
    with kept(path, Counter()) as predictor:
        predictor.generate(PROMPTS, 99)
    asked = Counter()
    with kept(path, asked) as predictor:
        assert predictor.generate(PROMPTS, 5) == Ruled(lambda _: None, Counter()).generate(PROMPTS, 5)
    assert asked.total() == 7


def test_a_row_gets_its_own_answers_with_what_was_sent(path):
    with kept(path, Counter()) as predictor:
        work(predictor)
    first = predictor.taken(PROMPTS[3], ["3"], 2)
    assert first[0].told.answer == "said question 3:"
    assert len(first) == 2 and first[0].sent == '[{"role": "user", "content": "question 3"}]'
    assert first[0].template_sha256 == "t" * 64 and first[0].told.stop == "end"
    assert len(predictor.taken(PROMPTS[3], ["3"], 9)) == 1, "none is given twice"


def test_texts_that_are_measured_by_themselves_are_told_apart(path):
    with kept(path, Counter()) as predictor:
        predictor.log_likelihoods([WHOLE_TEXT] * 2, ["a", "bbb"])
    (found,) = predictor.taken(WHOLE_TEXT, ["bbb"], 1)
    assert found.told.answer == (-0.1 * 3 - 1 / 3, 4)
