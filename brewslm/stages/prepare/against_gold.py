"""Rows that a locked gold set keeps out of train: its own rows, their groups, and whatever says the same or nearly so."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from brewslm.filters.overlap import Overlap
from brewslm.rows.gold import GoldData, GoldFile
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.splitting import CODES, text_key
from brewslm.stages.prepare.adapters import AdapterPreset
from brewslm.stages.prepare.candidates import Candidates

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_BATCH = 512


class AgainstGold:
    """What is in the project's locked gold sets.

    Rows of eval may stand in a gold set: neither is trained on.

    Args:
        jaccard: From this similarity of what is asked on, two rows are near-duplicates.

    Raises:
        StageError(GoldSetChanged): A file of a gold set is not what was locked.
    """

    def __init__(self, files: Sequence[GoldFile], preset: AdapterPreset, jaccard: float) -> None:
        data = [GoldData(file) for file in files]
        self._preset, self._jaccard = preset, jaccard
        self._row_ids = {row_id for one in data for row_id in one.row_ids()}
        self._payloads = [payload for one in data for payload in one.payloads() if preset.input_field in payload]

    def rows(self) -> list[PreparedRow]:
        """What the gold sets say, for what was written to be measured against it."""
        return [PreparedRow(row_id="gold", payload=payload) for payload in self._payloads]

    def of(self, candidates: Candidates, places: "Array", texts: "Array") -> set[int]:
        """The rows of train and dev to take out, by their places among the candidates.

        Args:
            places: Of each row its split, as a code; -1 for a row that has none.
            texts: Of each row the key of what is asked.
        """
        import numpy as np

        if not self._row_ids:
            return set()
        taken = self._same(candidates, places)
        keys = np.array(sorted({text_key(self._preset.text(payload)) for payload in self._payloads}), np.uint64)
        taken |= {int(row) for row in np.flatnonzero(_trained(places) & np.isin(texts, keys))}
        overlap = Overlap(lambda: map(self._preset.words, self._payloads), self._jaccard)
        rows = np.flatnonzero(_trained(places)).tolist()
        words = self._words(candidates, places)
        for start in range(0, len(rows), _BATCH):
            found = overlap.matches(list(islice(words, _BATCH)))
            taken |= {row for row, matches in zip(rows[start : start + _BATCH], found, strict=True) if matches}
        return taken

    def _same(self, candidates: Candidates, places: "Array") -> set[int]:
        """The gold sets' own rows, and those of their groups, where the split goes by groups."""
        groups = {one.group for one in candidates if one.group and one.row_id in self._row_ids} if candidates.grouped else set()
        trained = _trained(places).tolist()
        return {
            row for row, one in enumerate(candidates) if trained[row] and (one.row_id in self._row_ids or one.group in groups)
        }

    def _words(self, candidates: Candidates, places: "Array") -> Iterator[str]:
        for trained, one in zip(_trained(places).tolist(), candidates, strict=True):
            if trained:
                yield self._preset.words(one.adapted)


def _trained(places: "Array") -> "Array":
    import numpy as np

    return np.isin(places, (CODES["train"], CODES["dev"]))
