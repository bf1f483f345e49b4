"""From what was seen of every row to where it goes: a split, or the reason why it has none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import InvalidRequest, NothingToPrepare
from brewslm.rows import RowReason
from brewslm.rows.manifest import PreparedData
from brewslm.rows.splitting import CODES, SplitPolicy, bounds, first_of
from brewslm.stages.prepare.against_gold import AgainstGold
from brewslm.stages.prepare.candidates import Candidates
from brewslm.stages.prepare.former import standing_before
from brewslm.stages.prepare.job import PrepareRequest
from brewslm.stages.prepare.leaks import Leaks
from brewslm.stages.prepare.survey import NO_REASON, REASONS, Survey

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

GOLD, NOWHERE = 3, -1
PLACES: dict[str, int] = {"train": CODES["train"], "dev": CODES["dev"], "eval": CODES["eval"], "gold": GOLD}


@dataclass(frozen=True)
class Decision:
    """Where every row goes.

    Attributes:
        places: Of each row, train, dev, eval or gold as in PLACES; -1 for a row that has a reason.
        reasons: Of each row, its place in REASONS; -1 for a row that has a place.
        policy: How the rows were split.
        continued: The version whose split went on.
    """

    places: "Array"
    reasons: "Array"
    policy: SplitPolicy
    continued: int | None

    def counts(self) -> dict[str, int]:
        """Rows of each split that has any, and of train, dev and eval in any case."""
        found = {name: int((self.places == code).sum()) for name, code in PLACES.items()}
        return {name: count for name, count in found.items() if count or name != "gold"}


def decide(
    seen: Survey, candidates: Candidates, leaks: Leaks, gold: AgainstGold, request: PrepareRequest, profile: str,
    former: PreparedData | None,
) -> Decision:  # fmt: skip
    """Split what goes on, then take out what a gold set holds and what leaks, then what is more than was asked for.

    Raises:
        StageError(NothingToPrepare, InvalidRequest): Too few rows are left for a split.
    """
    import numpy as np

    reasons = seen.column("reasons").copy()
    _reject_repeated(seen, reasons)
    going = np.flatnonzero((reasons == NO_REASON) & (seen.column("gold") == 0))
    _enough(len(going), int((reasons == REASONS.index(RowReason.PROFILE_MISMATCH)).sum()), request, profile)
    policy, continued = _policy(seen, going, request, profile, former)
    names = list(seen.names)
    places = np.full(len(reasons), NOWHERE, np.int8)
    places[going] = policy.place(seen.column("draws")[going], seen.column("strata")[going].astype(np.int64), names)
    places[(reasons == NO_REASON) & (seen.column("gold") == 1)] = GOLD
    for row in gold.of(candidates, places, seen.column("texts")):
        places[row], reasons[row] = NOWHERE, REASONS.index(RowReason.IN_GOLD_SET)
    standing = standing_before(former if continued else None, candidates, len(reasons))
    for row in leaks.of(candidates, places, seen.column("texts"), standing):
        places[row], reasons[row] = NOWHERE, REASONS.index(RowReason.LEAK)
    if request.train_rows is not None:
        _limit(seen, places, reasons, request.train_rows)
    decision = Decision(places, reasons, policy, continued)
    for split in ("train", "eval"):
        if not decision.counts()[split]:
            cause = f"of {len(going)} {profile} rows none is left for it"
            raise StageError(NothingToPrepare(), f"{split} would be empty", cause=cause, next_step="Import more rows.")
    return decision


def _reject_repeated(seen: Survey, reasons: "Array") -> None:
    """Of rows that say the same the first stays; a gold one stays before others."""
    import numpy as np

    going = np.flatnonzero(reasons == NO_REASON)
    going = going[np.argsort(-seen.column("gold")[going], kind="stable")]
    _, first = np.unique(seen.column("said")[going], return_index=True)
    repeated = np.ones(len(going), bool)
    repeated[first] = False
    reasons[going[repeated]] = REASONS.index(RowReason.DUPLICATE_ROW)


def _enough(rows: int, others: int, request: PrepareRequest, profile: str) -> None:
    held_out, dev = request.sizes().counts(rows)
    if rows < 2:
        more = f"; {others} rows are of another task, or not of this preset's columns" if others else ""
        next_step = "Import rows of this task, or name another --task-profile or --adapter." if others else "Import more rows."
        cause = f"{rows} can be used, and two are the least{more}"
        raise StageError(NothingToPrepare(), f"{profile} rows can't be split", cause=cause, next_step=next_step)
    if held_out + dev >= rows:
        raise StageError(
            InvalidRequest(),
            "nothing would be left to train on",
            cause=f"{rows} {profile} rows, of which {dev} for dev and {held_out} for eval",
            next_step="Ask for smaller --dev-rows and --eval-rows.",
        )


def _policy(
    seen: Survey, going: "Array", request: PrepareRequest, profile: str, former: PreparedData | None
) -> tuple[SplitPolicy, int | None]:
    """The split of the manifest in use, where this one asks for the same; else one that is drawn now."""
    asked = SplitPolicy(
        seed=request.seed, asked=request.sizes(), group_by=request.group_by or "content", time_by=request.time_by, strata={}
    )
    if former and not request.resplit and former.manifest.task_profile == profile and former.manifest.split.is_for(asked):
        return former.manifest.split, former.manifest.version
    return asked.model_copy(update={"strata": _drawn(seen, going, request)}), None


def _drawn(seen: Survey, going: "Array", request: PrepareRequest) -> Any:
    import numpy as np

    every = list(seen.names)
    present, strata = np.unique(seen.column("strata")[going], return_inverse=True)
    names = [every[place] for place in present]
    return bounds(seen.column("draws")[going], strata, names, *request.sizes().counts(len(going)))


def _limit(seen: Survey, places: "Array", reasons: "Array", wanted: int) -> None:
    import numpy as np

    train = np.flatnonzero(places == CODES["train"])
    taken = first_of(seen.column("draws")[train], seen.column("strata")[train].astype(np.int64), wanted)
    over = train[~taken]
    places[over], reasons[over] = NOWHERE, REASONS.index(RowReason.SPLIT_LIMIT)
