"""Figures for labels: whole tables are scikit-learn's; what is resampled is counted here by the same definitions."""

from collections.abc import Mapping, Sequence
from typing import Any

from brewslm.metrics.figure import Figure, of_sums, ratio, share

Labelled = Sequence[set[str]]
"""The labels of each row; where there is one alone, a set of one."""


def macro_f1(expected: Labelled, predicted: Labelled, labels: Sequence[str]) -> Figure:
    """Mean of each label's F1; a label that is neither expected nor predicted counts as 0 (scikit-learn's `average="macro"`)."""
    import numpy as np

    wanted, said = _tables(expected, predicted, labels)
    count = len(labels)

    def worth(sums: Any) -> Any:
        both, either = sums[..., :count], sums[..., count:]
        return np.divide(2 * both, either, out=np.zeros_like(either), where=either > 0).mean(axis=-1)

    return of_sums(np.concatenate([wanted & said, wanted.astype(float) + said], axis=1), worth)


def by_class(expected: Labelled, predicted: Labelled, labels: Sequence[str]) -> dict[str, dict[str, Figure]]:
    """Label → precision (of rows that were called so), recall (of rows that are so) and F1."""
    wanted, said = _tables(expected, predicted, labels)
    found = {}
    for place, label in enumerate(labels):
        is_so, called = wanted[:, place], said[:, place]
        f1 = ratio(2.0 * (is_so & called), is_so.astype(float) + called)
        found[label] = {
            "precision": share(is_so & called, called), "recall": share(is_so & called, is_so),
            "f1": Figure(f1.counts, f1.worth, is_so | called),
        }  # fmt: skip
    return found


def per_class(figures: Mapping[str, Mapping[str, Figure]]) -> dict[str, dict[str, float]]:
    """The same as numbers: label → precision, recall, f1 and support (expected rows)."""
    return {
        label: {name: figure.value for name, figure in own.items()} | {"support": own["recall"].n}
        for label, own in figures.items()
    }


def _tables(expected: Labelled, predicted: Labelled, labels: Sequence[str]) -> tuple[Any, Any]:
    """Two tables of yes and no, each (rows, labels)."""
    import numpy as np

    wanted, said = (
        np.array([[label in row for label in labels] for row in rows], dtype=bool).reshape(len(rows), len(labels))
        for rows in (expected, predicted)
    )
    return wanted, said


def confusion(expected: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """{"labels", "counts"}: counts[i][j] rows are labels[i] and were called labels[j]."""
    from sklearn.metrics import confusion_matrix

    return {"labels": list(labels), "counts": confusion_matrix(expected, predicted, labels=labels).tolist()}
