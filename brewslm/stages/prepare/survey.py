"""The first pass of prepare: every row is looked at once, and what decides about it is kept in some forty bytes."""

from array import array
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from brewslm.processes.context import Context
from brewslm.rows import RowReason
from brewslm.rows.splitting import DRAW_BITS, draw, text_key
from brewslm.stages.prepare.adapters import AdapterPreset
from brewslm.stages.prepare.candidates import Candidate, Candidates, texts_in
from brewslm.stages.prepare.job import PrepareRequest
from brewslm.stages.prepare.lengths import Lengths

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

REASONS = tuple(RowReason)
NO_REASON = -1
_BATCH = 512
_LATEST_SECONDS = 1 << 40
"""Beyond it a number is no time: some 35,000 years."""


@dataclass
class Survey:
    """What was seen of every row, one entry each, in the order of the candidates.

    Attributes:
        reasons: Its place in REASONS; -1 for a row that goes on.
        texts: The key of what is asked (rows/splitting.py).
        said: The key of question and answer together: rows that have the same say the same.
        draws: Where its group, or its time, stands between 0 and 2^53; the smallest are held out.
        strata: Its place in `names`.
        tokens: Asked and answered, as in training; 0 where a row ended before it was measured.
        gold: 1 for rows of a gold set.
        origins: Its place in `imports`.
        kinds: The types of personal data in it, one bit each.
        names, kind_names: Every label to its place, every type to its bit.
    """

    reasons: "array[int]" = field(default_factory=lambda: array("h"))
    texts: "array[int]" = field(default_factory=lambda: array("Q"))
    said: "array[int]" = field(default_factory=lambda: array("Q"))
    draws: "array[int]" = field(default_factory=lambda: array("q"))
    strata: "array[int]" = field(default_factory=lambda: array("I"))
    tokens: "array[int]" = field(default_factory=lambda: array("I"))
    gold: "array[int]" = field(default_factory=lambda: array("b"))
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    kinds: "array[int]" = field(default_factory=lambda: array("Q"))
    kind_names: dict[str, int] = field(default_factory=dict)

    def column(self, name: str) -> "Array":
        """One of the arrays as numpy's, over the same memory."""
        import numpy as np

        values = getattr(self, name)
        return np.frombuffer(values, values.typecode)

    def rows_with_pii(self, kept: "Array") -> dict[str, int]:
        """Of the rows that are kept (booleans), how many hold each type of personal data."""
        kinds = self.column("kinds")[kept]
        counts = {name: int(((kinds >> bit) & 1).sum()) for name, bit in sorted(self.kind_names.items())}
        return {name: count for name, count in counts.items() if count}


def survey(candidates: Candidates, preset: AdapterPreset, request: PrepareRequest, lengths: Lengths, context: Context) -> Survey:
    """Look at every candidate.

    Args:
        lengths: Measures rows in the base model's tokens.
    """
    seen, surveyor = Survey(), _Surveyor(preset, request, lengths)
    rows = context.track(candidates, None, "rows")
    while batch := list(islice(rows, _BATCH)):
        surveyor.take(batch, seen)
    return seen


class _Surveyor:
    def __init__(self, preset: AdapterPreset, request: PrepareRequest, lengths: Lengths) -> None:
        self._preset, self._request, self._lengths = preset, request, lengths
        self._stratified = request.group_by is None and request.time_by is None
        self._find_pii = _pii_finder() if request.pii != "off" else None

    def take(self, batch: list[Candidate], seen: Survey) -> None:
        lengths = iter(self._lengths.of([one.adapted for one in batch if one.reason is None]))
        for one in batch:
            measured = next(lengths) if one.reason is None else 0
            if isinstance(measured, RowReason):
                one, measured = replace(one, reason=measured), 0
            self._enter(one, measured, seen)

    def _enter(self, one: Candidate, tokens: int, seen: Survey) -> None:
        asked = further = target = stratum = ""
        if one.reason is None:
            asked, target = self._preset.text(one.adapted), self._preset.target(one.adapted)
            further = self._preset.further(one.adapted)
            stratum = self._preset.stratum(one.adapted) if self._stratified else ""
        key, time = text_key(asked), _milliseconds(one.group) if self._request.time_by else 0
        found = self._find_pii(texts_in(one.adapted)) if self._find_pii and one.reason is None else set()
        reason = self._reason(one, tokens, time, bool(found))
        seen.reasons.append(NO_REASON if reason is None else REASONS.index(reason))
        seen.texts.append(key)
        seen.said.append(key ^ text_key(f"{further}\0{target}"))
        seen.draws.append(self._draw(one.group, key, time))
        seen.strata.append(seen.names.setdefault(stratum, len(seen.names)))
        seen.tokens.append(tokens)
        seen.gold.append(one.is_gold)
        seen.kinds.append(sum(1 << seen.kind_names.setdefault(kind, len(seen.kind_names)) for kind in found))

    def _reason(self, one: Candidate, tokens: int, time: int | None, has_pii: bool) -> RowReason | None:
        if one.reason is not None:
            return one.reason
        if tokens > self._lengths.most:
            return RowReason.OVER_LENGTH
        if time is None:
            return RowReason.NO_TIME
        return RowReason.PII_BLOCK if has_pii and self._request.pii == "block" else None

    def _draw(self, group: str, key: int, time: int | None) -> int:
        if self._request.time_by:
            return (1 << DRAW_BITS - 1) - (time or 0)  # the latest first
        return draw(self._request.seed, group if group and self._request.group_by else key)


def _milliseconds(value: str) -> int | None:
    """A time as milliseconds since 1970: a number of seconds, or ISO 8601 (UTC where it has no zone); None for neither."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return round(seconds * 1000) if abs(seconds) < _LATEST_SECONDS else None


def _pii_finder() -> "Any":
    from brewslm.filters.pii import find_pii
    from brewslm.filters.preset import cleaning_preset

    preset = cleaning_preset()

    def kinds(text: str) -> set[str]:
        return {finding.type for finding in find_pii(text, preset.pii)}

    return kinds
