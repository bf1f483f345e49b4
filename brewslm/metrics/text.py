"""Figures for texts: as SQuAD has them (torchmetrics), ROUGE (rouge-score), chrF and BLEU (sacrebleu). All between 0 and 1."""

from collections.abc import Sequence
from typing import Any

ROUGE = ("rouge1", "rouge2", "rougeL")
_RESAMPLES = 1000

Interval = tuple[float, float, float]
"""(value, low, high): the figure, and its 95 % interval."""


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


def chrf(expected: Sequence[str], predicted: Sequence[str]) -> Interval:
    """chrF2 of the corpus (Popović 2015), with sacrebleu's own bootstrap over rows."""
    from sacrebleu.metrics.chrf import CHRF

    return _resampled(CHRF(), expected, predicted)


def bleu(expected: Sequence[str], predicted: Sequence[str]) -> Interval:
    """BLEU of the corpus (Post 2018, tokenizer 13a), with sacrebleu's own bootstrap over rows."""
    from sacrebleu.metrics.bleu import BLEU

    return _resampled(BLEU(), expected, predicted)


def _resampled(metric: Any, expected: Sequence[str], predicted: Sequence[str]) -> Interval:
    """The figure of all rows, and the middle 95 % of resampled ones, shifted to lie around their mean as sacrebleu has it."""
    found = metric.corpus_score(list(predicted), [list(expected)], n_bootstrap=_RESAMPLES)
    low, high = ((found._mean + side * found._ci) / 100 for side in (-1, 1))
    value = float(found.score) / 100
    return value, float(min(value, max(0.0, low))), float(max(value, min(1.0, high)))
