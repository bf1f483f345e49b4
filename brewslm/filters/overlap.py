"""Which texts nearly equal one of a set of texts: exactly, none missed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from brewslm.filters.minhash import SHORT, SURELY_LONG, jaccard, shingles, words_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BATCH = 2048


class Overlap:
    """Finds, for any text, those of a set whose Jaccard similarity with it reaches a threshold.

    Two sets that share so much must share a shingle among the rarest few of each (prefix filtering: Chaudhuri, Ganti and
    Kaushik, 2006), so only those are indexed and looked up, rarest in the set of texts first; what they turn up is compared in
    full. Nothing is estimated: a pair that reaches the threshold is found.

    Args:
        texts: The set; it is read twice, so this makes a new iterator at each call. About 100 bytes a shingle's tenth: the set
            of 400 held-out rows takes next to nothing, that of a million short rows some hundreds of megabytes.
        threshold: Over 0, at most 1.
    """

    def __init__(self, texts: Callable[[], Iterable[str]], threshold: float) -> None:
        self.threshold = threshold
        self._kinds = [_Kind(texts, by_words, threshold) for by_words in (True, False)]

    def matches(self, texts: Sequence[str]) -> list[list[int]]:
        """For each text the places of the set's texts that it nearly equals, ascending."""
        found: list[set[int]] = [set() for _ in texts]
        for kind in self._kinds:
            for place, text in enumerate(texts):
                if compared(text, kind.by_words):
                    found[place] |= kind.matches(shingles(text, kind.by_words))
        return [sorted(one) for one in found]


def compared(text: str, by_words: bool) -> bool:
    """Whether a text is looked for by shingles of this kind: one near the border of short and long is by both."""
    count = len(words_of(text))
    return count >= SHORT if by_words else 0 < count < SURELY_LONG


class _Kind:
    """The index over shingles of one kind."""

    def __init__(self, texts: Callable[[], Iterable[str]], by_words: bool, threshold: float) -> None:
        import numpy as np

        self.by_words, self._threshold = by_words, threshold
        sets = {place: shingles(text, by_words) for place, text in enumerate(texts()) if compared(text, by_words)}
        every = np.concatenate(list(sets.values())) if sets else np.empty(0, np.uint64)
        self._known, self._counts = np.unique(every, return_counts=True)
        self._sets = sets
        prefixes = [self._prefix(one) for one in sets.values()]
        keys = np.concatenate(prefixes) if prefixes else np.empty(0, np.uint64)
        owners = np.repeat(list(sets), [len(one) for one in prefixes]) if prefixes else np.empty(0, int)
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]

    def matches(self, one: "Array") -> set[int]:
        import numpy as np

        prefix = self._prefix(one)
        starts, ends = (np.searchsorted(self._keys, prefix, side) for side in ("left", "right"))
        return {place for place in self._candidates(starts, ends) if jaccard(self._sets[place], one) >= self._threshold}

    def _candidates(self, starts: "Array", ends: "Array") -> Iterator[int]:
        seen: set[int] = set()
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            fresh = set(self._owners[start:end].tolist()) - seen
            seen |= fresh
            yield from fresh

    def _prefix(self, one: "Array") -> "Array":
        """The rarest shingles, so many that a set which shares none of them can't reach the threshold."""
        import numpy as np

        if not len(one):
            return one
        places = np.minimum(np.searchsorted(self._known, one), max(0, len(self._known) - 1))
        counts = np.where(self._known[places] == one, self._counts[places], 0) if len(self._known) else np.zeros(len(one))
        # lexsort sorts by its last key first; equal counts are put in order by the shingle itself, alike for every set.
        rarest = one[np.lexsort((one, counts))]
        # A float a hair over a whole number must not lengthen what has to be shared.
        return rarest[: len(one) - int(np.ceil(self._threshold * len(one) - 1e-9)) + 1]
