"""Routes of eval packs."""

from fastapi import APIRouter

from brewslm.errors import StageError
from brewslm.handlers.eval_pack import EvalPack
from brewslm.observe.evalpacks import EvalPackView, GateNames, eval_pack, eval_packs, gate_names
from brewslm.reasons.refusals import EvalPackInvalid

router = APIRouter(prefix="/api", tags=["evaluation"])


@router.get("/eval-packs", operation_id="eval_pack.list")
def listed(task_profile: str | None = None) -> list[EvalPackView]:
    """The eval packs of the presets."""
    return eval_packs(task_profile)


@router.get("/eval-packs/{pack_id}", operation_id="eval_pack.show")
def shown(pack_id: str) -> EvalPack:
    """One of them with its gates."""
    if pack_id.endswith((".yaml", ".yml")):
        raise StageError(EvalPackInvalid(), f"there is no eval pack {pack_id}", cause="packs of the presets are shown here")
    return eval_pack(pack_id)


@router.get("/task-profiles/{task_profile}/gate-names", operation_id="eval_pack.names")
def names(task_profile: str) -> list[GateNames]:
    """The metrics, classes' metrics and systems that gates of a task profile may name."""
    return gate_names(task_profile)
