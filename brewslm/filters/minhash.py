"""How alike two texts are, and how to find the alike ones among many without comparing each with each.

The Jaccard similarity of two texts is that of their sets of shingles. MinHash (Broder, 1997) gives a signature whose slots are
equal with just that probability; its slots are cut into bands, and texts that share a band are worth comparing. With 18 bands of
7 slots a pair of similarity 0.8 shares one with probability 0.985, of 0.5 with 0.13.
"""

import re
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint64
    from numpy.typing import NDArray

WORDS_IN_A_SHINGLE = 5
CHARACTERS_IN_A_SHINGLE = 5
SHORT = 40
"""A text with fewer words is compared by its characters: in a sentence, one other word breaks most shingles of words."""
SURELY_LONG = 50
"""A text of SHORT to so many words is looked for by both kinds of shingles, so that no pair is missed at the border."""
BANDS = 18
SLOTS_IN_A_BAND = 7
_SLOTS = 128
_SEED = 1
_FACTORS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)
_ASCII_WORDS = bytes(
    ord(chr(code).lower()) if chr(code) in string.ascii_letters + string.digits + "_" else 32 for code in range(256)
)


def words_of(text: str) -> list[str]:
    """The words that a comparison sees: runs of letters and digits, in lower case."""
    if text.isascii():
        return text.encode().translate(_ASCII_WORDS).decode().split()
    return re.findall(r"\w+", text.lower())


def shingles(text: str, by_words: bool | None = None) -> "NDArray[uint64]":
    """The hashes of a text's shingles: distinct, ascending, and the same on every machine.

    Args:
        text: Any text.
        by_words: 5 words (True) or 5 characters (False) make a shingle; None: words, from 40 on. A text shorter than one
            shingle is one as a whole; only a text without a letter or digit has none.
    """
    import numpy as np

    words = words_of(text)
    if by_words is None:
        by_words = len(words) >= SHORT
    return np.unique(_by_words(words) if by_words else _by_characters(" ".join(words)))


def jaccard(left: "NDArray[uint64]", right: "NDArray[uint64]") -> float:
    """The Jaccard similarity, 0 to 1, of two sets of shingles of the same kind; 0 where both are empty."""
    import numpy as np

    both = len(np.intersect1d(left, right, assume_unique=True))
    either = len(left) + len(right) - both
    return both / either if either else 0.0


def similarity(left: str, right: str) -> float:
    """The Jaccard similarity, 0 to 1, of two texts: by words where both are long, else by characters."""
    by_words = min(len(words_of(left)), len(words_of(right))) >= SHORT
    return jaccard(shingles(left, by_words), shingles(right, by_words))


def band_keys(texts: Sequence[str]) -> "list[NDArray[uint64]]":
    """For each text its 18 band keys, 36 at the border of short and long, none for a text without a letter or digit.

    Two texts with a key in common are candidates; the keys are the same on every machine with the same version of rensa.
    """
    import numpy as np

    sets: list[NDArray[uint64]] = []
    owners: list[int] = []
    for number, text in enumerate(texts):
        words = words_of(text)
        if len(words) >= SHORT:
            sets.append(np.unique(_by_words(words)))
            owners.append(number)
        if words and len(words) < SURELY_LONG:
            sets.append(np.unique(_by_characters(" ".join(words))))
            owners.append(number)
    keys: list[list[NDArray[uint64]]] = [[] for _ in texts]
    for owner, row in zip(owners, _bands(sets), strict=True):
        keys[owner].append(row)
    return [np.concatenate(rows) if rows else np.empty(0, np.uint64) for rows in keys]


def _bands(sets: "Sequence[NDArray[uint64]]") -> "NDArray[uint64]":
    """One row for each set, one key for each band."""
    import numpy as np
    from rensa import RMinHash

    if not sets:
        return np.empty((0, BANDS), np.uint64)
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in sets]))).astype(np.uint64)
    flat = np.concatenate(sets)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, _SLOTS, _SEED).to_rows()
    slots = np.array(rows, np.uint64)[:, : BANDS * SLOTS_IN_A_BAND].reshape(len(sets), BANDS, SLOTS_IN_A_BAND)
    keys = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64), (len(sets), BANDS))
    for place in range(SLOTS_IN_A_BAND):
        keys = _mixed(keys + slots[:, :, place])
    return keys


def _by_words(words: Sequence[str]) -> "NDArray[uint64]":
    import numpy as np
    from rensa import RMinHash

    hashes = np.array(RMinHash.hash_token_sets([words])[0], np.uint64)
    return _rolled(hashes, WORDS_IN_A_SHINGLE)


def _by_characters(text: str) -> "NDArray[uint64]":
    import numpy as np

    return _rolled(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64), CHARACTERS_IN_A_SHINGLE)


def _rolled(parts: "NDArray[uint64]", size: int) -> "NDArray[uint64]":
    """A hash for each run of so many parts; one for all where there are fewer."""
    import numpy as np

    size = min(size, len(parts))
    count = len(parts) - size + 1 if size else 0
    hashes = np.zeros(count, np.uint64)
    for place in range(size):
        hashes = hashes * np.uint64(_FACTORS[0]) + parts[place : place + count]
    return _mixed(hashes)


def _mixed(hashes: "NDArray[uint64]") -> "NDArray[uint64]":
    """Every bit of a hash spread over all (the finaliser of SplitMix64; Steele, Lea and Flood, 2014)."""
    import numpy as np

    mixed = (hashes + np.uint64(_FACTORS[0])) * np.uint64(_FACTORS[1])
    mixed ^= mixed >> np.uint64(27)
    return mixed * np.uint64(_FACTORS[0]) ^ (mixed >> np.uint64(31))
