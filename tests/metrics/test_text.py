"""Figures for texts, by hand or against the library."""

import pytest

from brewslm.metrics.text import bleu, chrf, rouge_rows, squad_rows


def test_case_punctuation_and_articles_do_not_count():
    assert squad_rows(["The cat."], ["cat"]) == ([1.0], [1.0])


def test_f1_is_of_shared_words():
    exact, f1 = squad_rows(["a big black cat", "yes"], ["black dog", ""])
    assert exact == [0.0, 0.0]
    assert f1 == [pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3)), 0.0]


def test_rouge_is_of_shared_words_pairs_and_order():
    # precision 3/4, recall 3/3 of words; of pairs 1/3 and 1/2; in order "police killed" is 2 of 4 and 2 of 3 ... Lin 2004
    rows = rouge_rows(["police killed gunman"], ["gunman police killed today"])
    assert rows["rouge1"] == [pytest.approx(2 * 0.75 / 1.75)]
    assert rows["rouge2"] == [pytest.approx(0.4)]
    assert rows["rougeL"] == [pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))]


@pytest.mark.parametrize("figure", [bleu, chrf])
def test_bleu_and_chrf_are_sacrebleus_of_the_whole_corpus(figure):
    import sacrebleu

    expected = ["the cat sat on the mat", "a dog is here to stay now", "hello there my friend of old"]
    predicted = ["the cat sat on a mat", "dogs are here to stay now", "hello there my old friend"]
    library = {bleu: sacrebleu.corpus_bleu, chrf: sacrebleu.corpus_chrf}[figure]
    value, low, high = figure(expected, predicted).at()
    assert value == pytest.approx(library(predicted, [expected]).score / 100)
    assert 0 <= low < value < high <= 1
    assert figure(expected, expected).value == pytest.approx(1)
    assert figure(expected, ["", "", ""]).value == 0
