"""The drawn pairs are such that neither length nor words tell the better answer."""

from collections import Counter

from bench.handlers_preference import ASKED, FORMS, pairs
from tests.synthetic import own_words


def asked(number: int) -> tuple[str, str]:
    return f"what is {own_words(number)}", f"it is {own_words(7000 + number)[: 10 + number % 12]}"


QUESTIONS = {f"category {c}": [asked(100 * c + n) for n in range(30)] for c in range(8)}


def form_of(answer: str) -> int:
    """0 for a customer's, 1 for a colleague's."""
    (kind,) = {kind for both in FORMS for kind, form in enumerate(both) if form.replace("{}", "").strip() in answer}
    return kind


def test_the_better_answer_has_the_form_that_is_due_to_who_asks():
    due = {text.partition("{}")[0]: kind for kind, text in enumerate(ASKED.values())}
    for pair in pairs(QUESTIONS):
        wanted = next(kind for begins, kind in due.items() if pair["prompt"].startswith(begins))
        assert form_of(pair["chosen"]) == wanted
        assert (form_of(pair["rejected"]) == wanted) == (pair["kind"] == "fit")


def test_each_form_is_as_often_better_as_worse_and_length_tells_nothing():
    made = list(pairs(QUESTIONS))
    by_form = [pair for pair in made if pair["kind"] == "form"]
    better = Counter(form_of(pair["chosen"]) for pair in by_form)
    assert abs(better[0] - better[1]) < 0.2 * len(by_form)
    longer = sum(len(pair["chosen"]) > len(pair["rejected"]) for pair in made) / len(made)
    shorter = sum(len(pair["chosen"]) < len(pair["rejected"]) for pair in made) / len(made)
    assert abs(longer - shorter) < 0.15
    assert abs(sum(pair["kind"] == "fit" for pair in made) / len(made) - 1 / 3) < 0.08


def test_two_draws_are_the_same():
    assert list(pairs(QUESTIONS)) == list(pairs(QUESTIONS))
