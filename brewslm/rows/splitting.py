"""Which row goes to which split: by a hash of what it says, or of its group, and a seed, so that rows added later move none."""

import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Split = Literal["train", "dev", "eval"]
CODES: dict[Split, int] = {"train": 0, "dev": 1, "eval": 2}
"""How a split is written in an array."""
MOST_EVAL, MOST_DEV = 400, 100
DRAW_BITS = 53
"""A draw is a whole number that JSON and JavaScript hold exactly."""


def text_key(text: str) -> int:
    """64 bits that are the same for texts that differ only in case, spaces or compatible characters."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return int.from_bytes(blake2b(" ".join(plain.casefold().split()).encode(), digest_size=8).digest(), "little")


def draw(seed: int, group: int | str) -> int:
    """Where a group stands between 0 and 2^53: the same for this seed, whatever else there is."""
    return int.from_bytes(blake2b(f"{seed}:{group}".encode(), digest_size=8).digest(), "little") >> (64 - DRAW_BITS)


class Bounds(BaseModel):
    """A draw below `eval` is held out, one below `dev` chooses checkpoints, all others are trained on."""

    model_config = ConfigDict(frozen=True)

    eval: int
    dev: int


class Sizes(BaseModel):
    """How many rows eval and dev were asked to hold, as a number or as a share of all; both None: the default."""

    model_config = ConfigDict(frozen=True)

    eval_rows: int | None = None
    eval_share: float | None = None
    dev_rows: int | None = None
    dev_share: float | None = None

    def counts(self, rows: int) -> tuple[int, int]:
        """Rows of eval and of dev: a fifth, at most 400; a tenth, at most 100."""
        held_out = _count(rows, self.eval_rows, self.eval_share, min(MOST_EVAL, max(1, round(rows / 5))))
        return held_out, _count(rows, self.dev_rows, self.dev_share, min(MOST_DEV, round(rows / 10)))


def _count(rows: int, number: int | None, share: float | None, default: int) -> int:
    return number if number is not None else round(rows * share) if share is not None else default


class SplitPolicy(BaseModel):
    """How rows were split: whoever has it puts any row, old or new, where it belongs.

    Attributes:
        asked: What the bounds were made for.
        group_by: "content", "document", or the source's column whose equal values stay together.
        time_by: The source's column by which the latest rows are held out; None: a hash decides.
        strata: The label of each stratum to its bounds; "" stands for every other.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    asked: Sizes
    group_by: str
    time_by: str | None = None
    strata: dict[str, Bounds]

    def is_for(self, other: "SplitPolicy") -> bool:
        """Whether both were asked for in the same words, so that the bounds of one do for the other."""
        mine, theirs = (one.model_dump(exclude={"strata"}) for one in (self, other))
        return mine == theirs

    def place(self, draws: "Array", strata: "Array", names: Sequence[str]) -> "Array":
        """The split of each row, as its code.

        Args:
            draws: Of each row, as int64.
            strata: Of each row, its place in `names`.
        """
        import numpy as np

        known = [self.strata.get(name, self.strata[""]) for name in names]
        evals, devs = (np.array([getattr(one, side) for one in known], np.int64)[strata] for side in ("eval", "dev"))
        return np.where(draws < evals, CODES["eval"], np.where(draws < devs, CODES["dev"], CODES["train"])).astype(np.int8)


def bounds(draws: "Array", strata: "Array", names: Sequence[str], held_out: int, dev: int) -> dict[str, Bounds]:
    """Bounds that give each stratum its proportion of so many rows of eval and dev, to the row where no two draws are equal.

    Args:
        draws, strata, names: As in SplitPolicy.place; every stratum has a row.
        held_out, dev: Rows wanted, together at most all.
    """
    import numpy as np

    sizes = np.bincount(strata, minlength=len(names))
    evals = _shared(sizes, held_out)
    devs = _shared(sizes - evals, dev)
    made = {}
    for place, name in enumerate(names):
        ordered = np.sort(draws[strata == place])
        made[name] = Bounds(eval=_bound(ordered, evals[place]), dev=_bound(ordered, evals[place] + devs[place]))
    ordered = np.sort(draws)
    made[""] = made.get("") or Bounds(eval=_bound(ordered, held_out), dev=_bound(ordered, held_out + dev))
    return made


def _bound(ordered: "Array", count: int) -> int:
    """Just above the last of so many draws."""
    return int(ordered[count - 1]) + 1 if count else 0


def _shared(sizes: "Array", wanted: int) -> list[int]:
    """So many rows over strata of these sizes in proportion; what is left over goes to the largest remainders."""
    import numpy as np

    exact = sizes * (wanted / max(1, sizes.sum()))
    whole = np.floor(exact).astype(int)
    for place in np.argsort(whole - exact, kind="stable")[: wanted - whole.sum()]:
        whole[place] += 1
    return [int(one) for one in np.minimum(whole, sizes)]


def first_of(draws: "Array", strata: "Array", wanted: int) -> "Array":
    """Which rows are the first so many by their draws, each stratum in its proportion: booleans."""
    import numpy as np

    taken = np.zeros(len(draws), bool)
    for place, quota in enumerate(_shared(np.bincount(strata), min(wanted, len(draws)))):
        members = np.flatnonzero(strata == place)
        taken[members[np.argsort(draws[members], kind="stable")[:quota]]] = True
    return taken
