"""Faithfulness without a judge: how far words alone, and sentence vectors, agree with labels that are known by construction.

Run: python -m bench.faithfulness. The pairs of bench/faithfulness_pairs.py are in five folds, each category in one; the
threshold of a fold is chosen on the four others. A pair's score by words is the share of the answer's content words that the best
passage holds; by vectors the mean over the answer's sentences of the cosine to the nearest sentence of the context; "both" is a
logistic regression on these, fitted on the four others. (With half of the categories to tune on and half to test on, as first
tried, kappa was 0.52 for words and for vectors.)
About two minutes on two cores.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from bench.faithfulness_pairs import KINDS, Pair, folds, pairs
from bench.report import write
from brewslm.metrics.grounding import nearest_sentences, support
from brewslm.metrics.intervals import SEED, bootstrap
from brewslm.metrics.kappa import cohen_kappa
from brewslm.models.sentences import sentence_vectors

Array = np.ndarray[Any, Any]
PACKAGES = ("torch", "transformers", "scikit-learn", "scipy")
GOAL = {"vectors_less_words.low": {"above": 0.0}}
"""Sentence vectors are worth their time where they agree surely better than words."""


def main() -> None:
    """Measure, and keep the result."""
    found = pairs()
    known, parts = labels(found), folds(found)
    seconds: dict[str, float] = {}
    scores: dict[str, Array] = {}
    for name, score in (("words", by_words), ("vectors", by_vectors)):
        began = time.monotonic()
        scores[name] = score(found)
        seconds[name] = round(time.monotonic() - began, 1)
    scores["both"] = together(scores["words"], scores["vectors"], known, parts)
    measured: dict[str, Any] = {"pairs": len(found), "categories": len({pair.category for pair in found}), "seconds": seconds}
    said = {name: held_out(each, known, parts) for name, each in scores.items()}
    for name, each in scores.items():
        threshold = rounded(best_threshold(each, known))
        measured[name] = {"threshold_on_all": threshold} | agreement(said[name], each, found)
    measured["vectors_less_words"] = difference(said["vectors"], said["words"], known)
    measured["both_less_words"] = difference(said["both"], said["words"], known)
    write("faithfulness", measured, {}, GOAL, PACKAGES)


def held_out(scores: Array, known: Array, parts: Sequence[Sequence[int]]) -> Array:
    """Of each pair whether it is called faithful, by the threshold of the other folds."""
    said = np.zeros(len(scores), bool)
    for part in parts:
        others = np.ones(len(scores), bool)
        others[list(part)] = False
        said[list(part)] = scores[list(part)] >= best_threshold(scores[others], known[others])
    return said


def labels(found: Sequence[Pair]) -> Array:
    """Which are faithful."""
    return np.array([pair.faithful for pair in found])


def by_words(found: Sequence[Pair]) -> Array:
    """As handlers/rag.py scores an answer by the passage that it cites, with the best passage cited."""
    return np.array([max(support(pair.answer, passage) for passage in pair.context.split("\n\n")) for pair in found])


def by_vectors(found: Sequence[Pair]) -> Array:
    """How near the sentences of the answer are, on the mean, to the nearest sentences of the context."""
    near = nearest_sentences([(pair.answer, pair.context) for pair in found], sentence_vectors)
    return np.array([sum(each) / len(each) if each else 0.0 for each in near])


def together(words: Array, vectors: Array, known: Array, parts: Sequence[Sequence[int]]) -> Array:
    """The probability that a regression on both gives, fitted on the other folds."""
    both, found = np.stack([words, vectors], axis=1), np.zeros(len(words))
    for part in parts:
        others = np.setdiff1d(np.arange(len(words)), list(part))
        found[list(part)] = LogisticRegression().fit(both[others], known[others]).predict_proba(both[list(part)])[:, 1]
    return found


def best_threshold(scores: Array, known: Array) -> float:
    """The score from which on a pair is called faithful, with the most kappa."""
    tried = np.unique(np.quantile(scores, np.linspace(0, 1, 201)))
    return float(max(tried, key=lambda one: cohen_kappa_score(known, scores >= one)))


def agreement(said: Array, scores: Array, test: Sequence[Pair]) -> dict[str, Any]:
    """With the labels: kappa, its interval, the share that is right in all and of each kind, and the area under the curve."""
    known = labels(test)
    kappa = cohen_kappa([str(one) for one in known], [str(one) for one in said])
    kinds = np.array([pair.kind for pair in test])
    right = said == known
    return {
        "kappa": rounded(kappa.value), "kappa_interval": [rounded(kappa.low), rounded(kappa.high)],
        "right": rounded(right.mean()), "area_under_curve": rounded(roc_auc_score(known, scores)),
        "right_by_kind": {kind: rounded(right[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()},
        "rows_by_kind": {kind: int((kinds == kind).sum()) for kind in KINDS},
    }  # fmt: skip


def difference(first: Array, second: Array, known: Array) -> dict[str, Any]:
    """Of their kappas on the same pairs, with the 95 % interval of resampled pairs."""

    def gap(labels_: Array, ours: Array, theirs: Array) -> float:
        return float(cohen_kappa_score(labels_, ours) - cohen_kappa_score(labels_, theirs))

    low, high = bootstrap(gap, known, first, second)
    return {"kappa": rounded(gap(known, first, second)), "low": rounded(low), "high": rounded(high), "resampling_seed": SEED}


def rounded(value: Any) -> float:
    """To four digits after the point."""
    return round(float(value), 4)


if __name__ == "__main__":
    main()
