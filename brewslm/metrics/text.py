"""Figures for short answers, as SQuAD has them (Rajpurkar et al. 2016), computed by torchmetrics."""

from collections.abc import Sequence


def squad_rows(expected: Sequence[str], predicted: Sequence[str]) -> tuple[list[float], list[float]]:
    """Exact match and token F1 of each row, 0 to 1; case, punctuation and articles don't count.

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
