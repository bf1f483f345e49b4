"""Which row goes to which split: seeded, in proportion, and with no text on two sides."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from brewslm.rows.reasons import RowReason

Split = Literal["eval", "dev", "train"]
MOST_EVAL, MOST_DEV = 400, 100


def text_key(text: str) -> bytes:
    """The same for texts that differ only in case, spaces or compatible characters."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return blake2b(plain.encode(), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What splitting has to know of a row.

    Attributes:
        stratum: Its label, or "": each split holds the strata in the proportions of the whole.
    """

    row_id: str
    text_key: bytes
    stratum: str = ""


@dataclass(frozen=True)
class Sizes:
    """How many rows each split shall hold; train None takes all that is left.

    Attributes:
        dev: Beside those of train: rows that choose checkpoints are not trained on.
    """

    train: int | None
    dev: int
    eval: int


def default_sizes(rows: int, train: int | None, dev: int | None, held_out: int | None) -> Sizes:
    """Sizes with what was not asked for filled in: a fifth for eval, at most 400; a tenth for dev, at most 100."""
    return Sizes(
        train=train,
        dev=min(MOST_DEV, round(rows / 10)) if dev is None else dev,
        eval=min(MOST_EVAL, max(1, round(rows / 5))) if held_out is None else held_out,
    )


def assign(candidates: Sequence[Candidate], sizes: Sizes, seed: int) -> dict[str, Split | RowReason]:
    """Each row's split, or why it has none.

    Eval is filled first, then dev, then train. A row whose text stands in a split filled before it is a leak; rows beyond
    the wanted sizes are split_limit.
    """
    order = _stratified(candidates, seed)
    placed: dict[str, Split | RowReason] = {}
    held: set[bytes] = set()
    for split, wanted in (("eval", sizes.eval), ("dev", sizes.dev), ("train", sizes.train)):
        texts: set[bytes] = set()
        left = len(candidates) if wanted is None else wanted
        while left and (candidate := next(order, None)) is not None:
            if candidate.text_key in held:
                placed[candidate.row_id] = RowReason.LEAK
                continue
            placed[candidate.row_id] = split  # type: ignore[assignment]
            texts.add(candidate.text_key)
            left -= 1
        held |= texts
    placed |= {candidate.row_id: RowReason.SPLIT_LIMIT for candidate in order}
    return placed


def _stratified(candidates: Sequence[Candidate], seed: int) -> Iterator[Candidate]:
    """The rows in an order of which every stretch holds the strata in the proportions of the whole."""
    strata: dict[str, list[tuple[bytes, Candidate]]] = defaultdict(list)
    for candidate in candidates:
        rank = blake2b(f"{seed}:{candidate.row_id}".encode(), digest_size=8).digest()
        strata[candidate.stratum].append((rank, candidate))
    spread: list[tuple[float, bytes, Candidate]] = []
    for members in strata.values():
        members.sort(key=lambda member: member[0])
        spread += [((place + 0.5) / len(members), rank, candidate) for place, (rank, candidate) in enumerate(members)]
    spread.sort(key=lambda entry: entry[:2])
    return (candidate for _, _, candidate in spread)


def counts(placed: dict[str, Split | RowReason]) -> dict[str, int]:
    """Rows per split."""
    found = Counter(place for place in placed.values() if not isinstance(place, RowReason))
    return {"train": found["train"], "dev": found["dev"], "eval": found["eval"]}
