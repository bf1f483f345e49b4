"""Rows of train that stand on the other side too: taken out before the split is written, and looked for again after it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from brewslm.filters.overlap import Overlap
from brewslm.rows.manifest import Leakage, PreparedRow
from brewslm.rows.splitting import CODES, text_key
from brewslm.stages.prepare.adapters import AdapterPreset
from brewslm.stages.prepare.candidates import Candidates

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_BATCH = 512


class Leaks:
    """Finds rows whose text stands on both sides, word for word or nearly; of pictures and recordings, rows with the same file.

    Args:
        jaccard: From this similarity of what is asked on, two rows are near-duplicates (filters/minhash.py).
    """

    def __init__(self, preset: AdapterPreset, jaccard: float) -> None:
        self._preset, self._jaccard = preset, jaccard

    def of(self, candidates: Candidates, places: "Array", texts: "Array", standing: "Array") -> set[int]:
        """The rows to take out, by their places among the candidates.

        Of a row of train (dev is inside) and one of eval the newcomer goes: whatever stood before must not move. Where both
        are new it is that of train; against gold it always is.
        """
        import numpy as np

        held = np.flatnonzero(places > CODES["dev"])
        overlap = Overlap(lambda: self._texts(candidates, places, held_out=True), self._jaccard)
        keys = {int(key): int(row) for key, row in zip(texts[held], held, strict=True)}
        taken: set[int] = set()
        for row, places_of_held in self._matches(candidates, places, overlap):
            found = {int(held[place]) for place in places_of_held}
            equal = keys.get(int(texts[row]))
            found |= {equal} if equal is not None else set()
            newcomers = {one for one in found if places[one] == CODES["eval"] and not standing[one]}
            if found and (not standing[row] or newcomers != found):
                taken.add(row)
            elif found:
                taken |= newcomers
        return taken

    def measured(self, train: Iterable[PreparedRow], held_out: list[PreparedRow]) -> Leakage:
        """Look once more, at the rows as they were written."""
        texts = [self._preset.words(row.payload) for row in held_out]
        keys = {text_key(self._preset.text(row.payload)) for row in held_out}
        overlap = Overlap(lambda: texts, self._jaccard)
        compared = equal = near = 0
        rows = iter(train)
        while batch := [row.payload for row in islice(rows, _BATCH)]:
            compared += len(batch)
            equal += sum(text_key(self._preset.text(payload)) in keys for payload in batch)
            near += sum(bool(found) for found in overlap.matches([self._preset.words(payload) for payload in batch]))
        return Leakage(equal_texts=equal, near_duplicates=near, jaccard=self._jaccard, rows_compared=compared)

    def _texts(self, candidates: Candidates, places: "Array", *, held_out: bool) -> Iterator[str]:
        for place, one in zip(places.tolist(), candidates, strict=True):
            if place >= 0 and (place > CODES["dev"]) is held_out:
                yield self._preset.words(one.adapted)

    def _matches(self, candidates: Candidates, places: "Array", overlap: Overlap) -> Iterator[tuple[int, list[int]]]:
        rows = [row for row, place in enumerate(places.tolist()) if 0 <= place <= CODES["dev"]]
        texts = self._texts(candidates, places, held_out=False)
        for start in range(0, len(rows), _BATCH):
            batch = list(islice(texts, _BATCH))
            yield from zip(rows[start : start + _BATCH], overlap.matches(batch), strict=True)
