"""How long a training will take: its work, over what this machine did last time, or does now."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select

from brewslm.models.memory import Method, PassShape, constants
from brewslm.models.recipe import Recipe
from brewslm.models.runtime import RuntimeProfile
from brewslm.models.shape import ModelShape
from brewslm.models.work import flops, gemm_flops
from brewslm.stages.preflight.passes import method_of
from brewslm.store import tables
from brewslm.store.files import read_json, run_folder
from brewslm.store.records import Records


class LastSpeed(BaseModel):
    """What the newest experiment with this base did on this machine.

    Attributes:
        tokens_per_second: Of rows, as its result says.
    """

    model_config = ConfigDict(frozen=True)

    experiment: str
    tokens_per_second: float
    recipe: Recipe


def last_speed(records: Records, base_sha256: str) -> LastSpeed | None:
    """The newest finished experiment with this base; None where there is none of this home."""
    query = select(tables.Experiment).where(tables.Experiment.base_sha256 == base_sha256)
    newest = records.session.scalars(query.order_by(tables.Experiment.created_at.desc())).first()
    run = records.session.get(tables.Run, newest.run_id) if newest else None
    job = run_folder(run.id) / "job.json" if run else None
    if run is None or job is None or not job.exists() or not (run.result or {}).get("real_tokens_per_second"):
        return None
    try:
        recipe = Recipe.model_validate(read_json(job)["job"]["train"]["recipe"])
    except (KeyError, ValidationError):  # of an older version
        return None
    return LastSpeed(experiment=run.id, tokens_per_second=(run.result or {})["real_tokens_per_second"], recipe=recipe)


class Pace(BaseModel):
    """Operations a second that a training here gets done, and where that figure is from.

    Attributes:
        basis: Such as "exp-3 here, 702 tok/s" or "a product measured now".
    """

    model_config = ConfigDict(frozen=True)

    flops_per_second: float
    basis: str


def pace(
    shape: ModelShape,
    method: Method,
    runtime: RuntimeProfile,
    last: LastSpeed | None,
    passes_of: Callable[[Recipe], list[PassShape]],
    tokens: int,
) -> Pace:
    """What this machine gets done.

    Args:
        last: Its tokens are those of whole rows, so its operations are counted as if it had trained on these rows.
        passes_of: The passes of one epoch under a recipe.
        tokens: Of all rows.
    """
    if last is not None:
        whole = flops(shape, method_of(last.recipe, runtime), passes_of(last.recipe))
        said = f"{last.experiment} did {last.tokens_per_second:,.0f} tok/s here"
        return Pace(flops_per_second=last.tokens_per_second * whole / max(1, tokens), basis=said)
    measured = gemm_flops(shape.hidden, shape.inner, method.bf16, runtime.threads)
    share = constants().gemm_share[method.precision]
    said = f"a product of its sizes, measured now: {measured / 1e9:,.0f} GFLOP/s, of which training gets {share:.0%}"
    return Pace(flops_per_second=share * measured, basis=said.replace("%", " %"))
