"""Shares of a text in n-grams that it repeats, as in Gopher (Rae et al., 2021, table A1), in one pass of numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

TOP = (2, 3, 4)
DUPLICATED = (5, 6, 7, 8, 9, 10)
_FACTOR = 0x9E3779B97F4A7C15  # odd, so multiplying by it loses nothing of a 64-bit hash


@dataclass(frozen=True, slots=True)
class Repetition:
    """Shares from 0 to 1, by n; each word counts its characters and one space.

    Attributes:
        top: For 2 to 4 words: the share of all places of the n-gram that comes most often; 0 when none comes twice.
        duplicated: For 5 to 10 words: the share of words inside an n-gram that came before; none is counted twice.
    """

    top: dict[int, float]
    duplicated: dict[int, float]


def repetition(words: Sequence[str], lengths: "NDArray[int64]") -> Repetition:
    """Measure words of the given lengths.

    An n-gram can come again only where the (n-1)-gram that it begins with does, so each length is looked for at the places
    that the one before left: the work is about one sort of the words. N-grams are told apart by hashes of 64
    bits, less those that number the words.
    """
    import numpy as np

    found = Repetition(dict.fromkeys(TOP, 0.0), dict.fromkeys(DUPLICATED, 0.0))
    if not words:
        return found
    ids = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    ends = np.concatenate(([0], np.cumsum(lengths + 1)))
    places, grams = np.arange(len(words)), ids
    for n in range(2, DUPLICATED[-1] + 1):
        fitting = int(np.searchsorted(places, len(words) - n, "right"))
        places = places[:fitting]
        grams = _mixed(grams[:fitting]) + ids[places + (n - 1)]
        ranked, order = _sorted(grams)
        same = ranked[1:] == ranked[:-1]
        if not same.any():
            break
        if n in TOP:
            found.top[n] = min(1.0, _most_frequent(places[order], same, ends, n) / int(ends[-1]))
        else:
            found.duplicated[n] = _covered(places[order[1:][same]], ends, n) / int(ends[-1])
        again = np.zeros(len(places), bool)
        again[order[1:][same]] = again[order[:-1][same]] = True
        places, grams = places[again], grams[again]
    return found


def _mixed(grams: Any) -> Any:
    import numpy as np

    product = grams * np.uint64(_FACTOR)
    return product ^ (product >> np.uint64(29))


def _sorted(grams: Any) -> tuple[Any, Any]:
    """The upper bits of the hashes in order, and where each stood, equal ones in the order in which they stood.

    The place takes the lower bits, so that one plain sort, which numpy does several at a time, gives both.
    """
    import numpy as np

    bits = np.uint64(len(grams).bit_length())
    keys = (grams >> bits << bits) | np.arange(len(grams), dtype=np.uint64)
    keys.sort()
    return keys >> bits, (keys & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)


def _most_frequent(places: Any, same: Any, ends: Any, n: int) -> int:
    """The characters of the most frequent n-gram times its places; of several, the longest.

    Args:
        places: Where the n-grams begin, equal ones beside each other.
        same: Whether each is equal to the next.
        ends: Characters before each word, and in all.
    """
    import numpy as np

    lasts = np.append(np.flatnonzero(~same), len(same))
    counts = np.diff(lasts, prepend=-1)
    most = int(counts.max())
    begins = places[lasts[counts == most]]
    return most * int((ends[begins + n] - ends[begins]).max())


def _covered(places: Any, ends: Any, n: int) -> int:
    """The characters of all words that one of the n-grams at these places covers."""
    import numpy as np

    starts = np.sort(places)
    stops = starts + n
    np.minimum(stops[:-1], starts[1:], out=stops[:-1])
    return int((ends[stops] - ends[starts]).sum())
