"""Parts of the rows by length, class, source and every column: how one system did on each, beside all other rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from brewslm.handlers.base import Metric, Scores, TaskHandler
from brewslm.metrics.figure import Figure
from brewslm.metrics.figure import share as share_of
from brewslm.metrics.many import holm
from brewslm.rows.identity import id_parts
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.slices import RowSlice, field_value, rows_by, rows_by_length

FEWEST = 5
"""Rows that a slice must have, and leave to the others, to be looked at."""
MOST_VALUES = 20
"""Values of a column that is looked at: one with more is an id, or a text."""
LEVEL = 0.05
SHUFFLES, SEED = 2_000, 20261129
"""Where a figure is no share, its slices are held against so many random parts of the rows of the same size."""

Dimension = Literal["length", "class", "source", "column", "pack"]
Mask = tuple[bool, ...]
"""Of each row, whether it is in a slice."""
Named = tuple[Dimension, str, str, Sequence[int]]
"""Dimension, field, value, and places of the rows."""


class SliceFigures(BaseModel):
    """One slice beside the rest of the rows.

    Attributes:
        field: Of the payload; "" for classes, sources and slices of the eval pack.
        value: Of the field; or a length bucket, a class, a source, a slice's name.
        correct, rest_correct: Rows that are wholly right, with Wilson's 95 % interval; None where no row is right or wrong.
        metric, rest_metric: The primary metric, with its 95 % interval.
        p_value: That as many rows do as badly by chance: by Fisher's exact test of a share, by rows drawn by lot otherwise.
        p_corrected: By Holm, for all slices that were looked at.
        is_worse: The slice's interval lies wholly on the worse side of the rest's figure, and p_corrected is below 0.05.
    """

    model_config = ConfigDict(frozen=True)

    dimension: Dimension
    field: str
    value: str
    rows: int
    correct: Metric | None
    rest_correct: Metric | None
    metric: Metric
    rest_metric: Metric
    p_value: float
    p_corrected: float
    is_worse: bool

    @property
    def said(self) -> str:
        """The slice in words."""
        whose = {"class": "class", "source": "source", "pack": "slice"}.get(self.dimension, self.field)
        return f"{whose}: {self.value}" if self.dimension == "length" else f"{whose} = {self.value}"


class SliceReport(BaseModel):
    """All of them, the worst first.

    Attributes:
        metric_id: What they are compared by: the handler's primary metric.
        looked_at: How many slices; the correction is for so many.
        too_small: How many more have, or leave, too few rows.
    """

    model_config = ConfigDict(frozen=True)

    metric_id: str
    lower_is_better: bool
    looked_at: int
    too_small: int
    slices: list[SliceFigures]


def slice_report(
    handler: TaskHandler,
    rows: Sequence[PreparedRow],
    scores: Scores,
    sources: Mapping[str, str],
    declared: Sequence[RowSlice] = (),
) -> SliceReport:
    """Look at every slice that the rows offer, and at those that the eval pack declares.

    Slices of the same rows are looked at once, under the first name.

    Args:
        sources: A row_id's source part → the source's name.
    """
    figure = scores.figures[handler.primary_metric]
    is_right = any(handler.expected(row.payload) is not None for row in rows)
    correct = share_of(scores.row_correct) if is_right else None
    seen: dict[Mask, Named] = {}
    too_small = 0
    for one in _named(handler, rows, sources, declared):
        places = set(one[3])
        mask = tuple(place in places for place in range(len(rows)))
        if all(mask) or mask in seen:
            continue
        if min(figure.of(mask).n, figure.of(_rest(mask)).n) < FEWEST:
            too_small += 1
        else:
            seen[mask] = one
    chances = [_chance(figure, mask, handler.lower_is_better) for mask in seen]
    found = [
        _figures(one, mask, figure, correct, handler.lower_is_better, chance, corrected)
        for (mask, one), chance, corrected in zip(seen.items(), chances, holm(chances), strict=True)
    ]
    found.sort(key=lambda one: (not one.is_worse, one.p_value, one.said))
    return SliceReport(
        metric_id=handler.primary_metric, lower_is_better=handler.lower_is_better, looked_at=len(found), too_small=too_small,
        slices=found,
    )  # fmt: skip


def _rest(mask: Mask) -> Mask:
    return tuple(not one for one in mask)


def _figures(
    named: Named, mask: Mask, figure: Figure, correct: Figure | None, lower: bool, chance: float, corrected: float
) -> SliceFigures:
    dimension, field, value, _ = named
    metric, rest = (Metric.of(figure.of(part)) for part in (mask, _rest(mask)))
    right, rest_right = (Metric.of(correct.of(part)) if correct else None for part in (mask, _rest(mask)))
    beyond = metric.low > rest.value if lower else metric.high < rest.value
    return SliceFigures(
        dimension=dimension, field=field, value=value, rows=sum(mask),
        correct=right, rest_correct=rest_right,
        metric=metric, rest_metric=rest, p_value=chance, p_corrected=corrected, is_worse=beyond and corrected < LEVEL,
    )  # fmt: skip


def _named(
    handler: TaskHandler, rows: Sequence[PreparedRow], sources: Mapping[str, str], declared: Sequence[RowSlice]
) -> Iterator[Named]:
    """Every slice, those of the plainest names first."""
    for value, places in rows_by_length(rows, handler.input_field).items():
        yield "length", handler.input_field, value, places
    classes: dict[str, list[int]] = {}
    origins: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        for name in handler.classes_of(row.payload):
            classes.setdefault(name, []).append(place)
        origins.setdefault(sources.get(id_parts(row.row_id)[0], ""), []).append(place)
    for name, places in sorted(classes.items()):
        yield "class", "", name, places
    for name, places in sorted(origins.items()):
        if name:
            yield "source", "", name, places
    for field in _fields(rows):
        found = rows_by(rows, field)
        if len(found) <= MOST_VALUES:
            for value, places in sorted(found.items()):
                yield "column", field, value, places
    for one in declared:
        yield "pack", "", one.slice_id, [place for place, row in enumerate(rows) if one.holds(row.payload)]


def _fields(rows: Sequence[PreparedRow]) -> list[str]:
    """Fields of single values, one step down into nested ones too, such as "metadata.language"."""
    ways = {
        way
        for row in rows
        for name, value in row.payload.items()
        for way in ([f"{name}.{inner}" for inner in value] if isinstance(value, dict) else [name])
    }
    plain = (str, int, float, bool, type(None))
    return sorted(way for way in ways if all(isinstance(field_value(row.payload, way), plain) for row in rows))


def _chance(figure: Figure, mask: Mask, lower: bool) -> float:
    if figure.is_share:
        from scipy.stats import hypergeom

        part = figure.of(mask)
        bad, worse = (round(one.n * (one.value if lower else 1 - one.value)) for one in (figure, part))
        return float(hypergeom.sf(worse - 1, figure.n, bad, part.n))
    return _shuffled(figure, mask, lower)


def _shuffled(figure: Figure, mask: Mask, lower: bool) -> float:
    """How often as many rows that are drawn by lot do as badly as these; the slice itself counts as one draw."""
    import numpy as np

    counts, part = figure.counts[figure.counted], figure.of(mask)
    draws = np.random.default_rng(SEED)
    sums = np.stack([counts[draws.choice(len(counts), part.n, replace=False)].sum(axis=0) for _ in range(SHUFFLES)])
    drawn, own = np.asarray(figure.worth(sums), dtype=float), part.value
    as_bad = drawn >= own - 1e-12 if lower else drawn <= own + 1e-12
    return float((1 + as_bad.sum()) / (1 + SHUFFLES))
