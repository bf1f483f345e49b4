import random
import sqlite3
from contextlib import ExitStack, closing

import pytest

from brewslm.filters.duplicates import ExactDuplicates, NearDuplicates
from brewslm.filters.minhash import similarity
from brewslm.filters.preset import cleaning_preset
from tests.filters.test_minhash import altered, text_of
from tests.filters.test_text import PROSE

PRESET = cleaning_preset().near_duplicate


@pytest.fixture
def near(tmp_path):
    """A finder over a dictionary of texts, and a function that adds one."""
    texts: dict[int, str] = {}
    with NearDuplicates(tmp_path / "near.sqlite", texts.__getitem__, PRESET) as finder:

        def add(text: str) -> int | None:
            number = len(texts)
            texts[number] = text
            return finder.of(number, text)

        yield add


def planted(words: int, edits: range, count: int = 300) -> list[tuple[str, str]]:
    choice = random.Random(words)
    firsts = [text_of(choice, words) for _ in range(count)]
    return [(" ".join(one), " ".join(altered(one, choice.choice(edits), choice))) for one in firsts]


@pytest.mark.parametrize(("words", "few", "many"), [(250, range(1, 6), range(20, 60)), (30, range(1, 3), range(8, 15))])
def test_planted_pairs_are_found_and_others_are_not(near, words, few, many):
    alike = [pair for pair in planted(words, few) if similarity(*pair) >= PRESET.jaccard]
    unlike = [pair for pair in planted(words + 1, many) if similarity(*pair) < 0.6]
    assert len(alike) >= 200 and len(unlike) >= 200
    for first, _ in (*alike, *unlike):
        assert near(first) is None
    right = sum(near(second) == number for number, (_, second) in enumerate(alike))
    wrong = sum(near(second) is not None for _, second in unlike)
    assert right / len(alike) >= 0.95
    assert right / (right + wrong) >= 0.95


def test_of_a_chain_those_that_moved_far_enough_stay(near):
    choice = random.Random(5)
    chain = [text_of(choice, 100)]
    for _ in range(12):
        chain.append(altered(chain[-1], 1, choice))
    texts = [" ".join(one) for one in chain]
    kept = [number for number, text in enumerate(texts) if near(text) is None]
    assert kept[0] == 0 and 1 < len(kept) < 7
    for number, text in enumerate(texts):
        assert number in kept or any(similarity(text, texts[one]) >= PRESET.jaccard for one in kept if one < number)


def test_a_text_without_words_is_like_nothing(near):
    assert near("") is None and near("--") is None and near("--") is None


def test_many_documents_of_one_template_cost_no_more_each(tmp_path):
    asked = []
    choice = random.Random(9)
    form = text_of(choice, 400)
    texts = [" ".join(form + text_of(choice, 180)) for _ in range(150)]

    def text_of_document(number: int) -> str:
        asked.append(number)
        return texts[number]

    preset = PRESET.model_copy(update={"candidates": 5, "documents_per_band": 8})
    with NearDuplicates(tmp_path / "near.sqlite", text_of_document, preset) as finder:
        for number, text in enumerate(texts):
            before = len(asked)
            assert finder.of(number, text) is None
            assert len(asked) - before <= 5
    with closing(sqlite3.connect(tmp_path / "near.sqlite")) as database:
        most = database.execute("SELECT max(n) FROM (SELECT count(*) AS n FROM remembered GROUP BY key)").fetchone()
    assert most == (8,)


def test_what_was_committed_is_known_to_the_next_process_and_what_is_forgotten_is_not(tmp_path):
    other = " ".join(text_of(random.Random(1), 120))
    texts = {1: PROSE, 2: other}
    for round_, expected in enumerate([(None, None), (1, None)]):
        with (
            NearDuplicates(tmp_path / "near.sqlite", texts.__getitem__, PRESET) as near,
            ExactDuplicates(tmp_path / "exact.sqlite") as exact,
        ):
            if round_:
                near.forget_after(1)
                exact.forget_after(1)
            for finder in (near, exact):
                assert finder.of(1 + 2 * round_, PROSE) == expected[0]
                assert finder.of(2 + 2 * round_, other) == expected[1]
                finder.commit()


def test_a_killed_run_leaves_what_it_committed(tmp_path):
    with ExitStack() as stack:
        first = ExactDuplicates(tmp_path / "exact.sqlite")
        first.of(1, "one")
        first.commit()
        first.of(2, "two")
        first._database.close()  # without a commit, as when the process is gone
        second = stack.enter_context(ExactDuplicates(tmp_path / "exact.sqlite"))
        assert second.of(3, "One") == 1
        assert second.of(3, "two") is None


def test_case_and_spacing_do_not_make_a_text_new(tmp_path):
    with ExactDuplicates(tmp_path / "exact.sqlite") as exact:
        assert exact.of(4, PROSE) is None
        assert exact.of(5, PROSE.upper().replace(" ", "\n")) == 4
        assert exact.of(6, PROSE + " More.") is None
