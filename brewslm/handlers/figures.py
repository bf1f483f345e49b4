"""Figures that several handlers have."""

from collections.abc import Sequence

from brewslm.metrics.figure import Figure, ratio


def micro(correct: Sequence[int], predicted: Sequence[int], expected: Sequence[int]) -> dict[str, Figure]:
    """Micro precision, recall and F1 of what was found in each row.

    Args:
        correct: Of each row, how many finds were right; `predicted`: how many there were; `expected`: how many there should be.
    """
    either = [(said + wanted) / 2 for said, wanted in zip(predicted, expected, strict=True)]
    return {"precision": ratio(correct, predicted), "recall": ratio(correct, expected), "f1": ratio(correct, either)}
