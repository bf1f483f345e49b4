"""Figures for texts: as SQuAD has them (torchmetrics), ROUGE (rouge-score), chrF and BLEU (sacrebleu). All between 0 and 1."""

from collections.abc import Sequence
from typing import Any

from brewslm.metrics.figure import Figure, each_by, of_sums

ROUGE = ("rouge1", "rouge2", "rougeL")


def squad_rows(expected: Sequence[str], predicted: Sequence[str]) -> tuple[list[float], list[float]]:
    """Exact match and token F1 of each row (Rajpurkar et al. 2016); case, punctuation and articles don't count.

    Returns:
        (exact matches, F1 scores), one of each a row.
    """
    from torchmetrics.functional.text import squad

    exact, f1 = [], []
    for wanted, answer in zip(expected, predicted, strict=True):
        target = {"id": "0", "answers": {"answer_start": [0], "text": [wanted]}}
        found = squad([{"id": "0", "prediction_text": answer}], [target])
        exact.append(float(found["exact_match"]) / 100)
        f1.append(float(found["f1"]) / 100)
    return exact, f1


def rouge_rows(expected: Sequence[str], predicted: Sequence[str]) -> dict[str, list[float]]:
    """F-measure of rouge1, rouge2 and rougeL of each row (Lin 2004), without stemming.

    Its tokenizer knows Latin letters and digits only: for other scripts look at chrF.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGE), use_stemmer=False)
    rows = [scorer.score(wanted, answer) for wanted, answer in zip(expected, predicted, strict=True)]
    return {kind: [float(row[kind].fmeasure) for row in rows] for kind in ROUGE}


def chrf(expected: Sequence[str], predicted: Sequence[str]) -> Figure:
    """chrF2 of the corpus (Popović 2015), as sacrebleu computes it."""
    from sacrebleu.metrics.chrf import CHRF

    return _of_corpus(CHRF(), expected, predicted)


def bleu(expected: Sequence[str], predicted: Sequence[str]) -> Figure:
    """BLEU of the corpus (Post 2018, tokenizer 13a), as sacrebleu computes it."""
    from sacrebleu.metrics.bleu import BLEU

    return _of_corpus(BLEU(), expected, predicted)


def _of_corpus(metric: Any, expected: Sequence[str], predicted: Sequence[str]) -> Figure:
    """By sacrebleu's own counts of each row: its `n_bootstrap` fails where a resampled figure is 0 (TypeError in
    `statistics.mean`, 2.6.0).
    """
    counts = metric._extract_corpus_statistics(list(predicted), [list(expected)])
    return of_sums(counts, each_by(lambda sums: float(metric._compute_score_from_stats(sums).score) / 100))
