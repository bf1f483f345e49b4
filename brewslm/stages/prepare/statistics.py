"""statistics.json: how long the rows are, which labels they have, which languages they are in."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from brewslm.stages.prepare.decide import PLACES, Decision

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

LANGUAGE_ROWS = 1000


class TokenLengths(BaseModel):
    """Tokens of a row, asked and answered as in training.

    Attributes:
        bins: How many rows have up to so many tokens, the limits being powers of two: {"64": 120, "128": 31}.
    """

    model_config = ConfigDict(frozen=True)

    least: int
    median: int
    p90: int
    p99: int
    most: int
    total: int
    bins: dict[str, int]


class SplitStatistics(BaseModel):
    """One split.

    Attributes:
        labels: Rows by label; {} where rows have none.
        languages: Rows by language, of the first thousand: ISO 639, "und" where a text is too short to tell.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    tokens: TokenLengths
    labels: dict[str, int] = {}
    languages: dict[str, int] = {}


class Statistics(BaseModel):
    """Of every split that has rows: train (without dev), dev, eval, gold."""

    model_config = ConfigDict(frozen=True)

    splits: dict[str, SplitStatistics]


def statistics(
    tokens: "Array", decision: Decision, labels: dict[str, dict[str, int]], texts: Mapping[str, Iterable[str]]
) -> Statistics:
    """Put together what was seen.

    Args:
        tokens: Of each row.
        texts: Of each split what is asked in words (or answered, where that is a picture or recording), from its first row on.
    """
    made = {}
    for split, rows in decision.counts().items():
        if rows:
            lengths = tokens[decision.places == PLACES[split]]
            languages = _languages(texts.get(split, ()))
            made[split] = SplitStatistics(rows=rows, tokens=_lengths(lengths), labels=labels.get(split, {}), languages=languages)
    return Statistics(splits=made)


def _lengths(tokens: "Array") -> TokenLengths:
    import numpy as np

    median, p90, p99 = (int(np.quantile(tokens, share, method="higher")) for share in (0.5, 0.9, 0.99))
    limits = 1 << np.ceil(np.log2(np.maximum(tokens, 1))).astype(int)
    bins = {str(limit): int(count) for limit, count in zip(*np.unique(limits, return_counts=True), strict=True)}
    return TokenLengths(
        least=int(tokens.min()), median=median, p90=p90, p99=p99, most=int(tokens.max()), total=int(tokens.sum()), bins=bins
    )


def _languages(texts: Iterable[str]) -> dict[str, int]:
    from brewslm.filters.language import language_of
    from brewslm.filters.preset import cleaning_preset

    preset = cleaning_preset().language
    found = Counter(language_of(text, preset).code for text, _ in zip(texts, range(LANGUAGE_ROWS), strict=False))
    return dict(found.most_common())
