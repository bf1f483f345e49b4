"""Targets: one file each. A plugin adds its own by an entry point of the group `brewslm.targets`."""

from brewslm.errors import StageError, did_you_mean
from brewslm.plugins import Extensible, broken
from brewslm.reasons.refusals import UnknownTarget
from brewslm.serving.targets.base import Lacking, Servable, Server, Target
from brewslm.serving.targets.cloud_burst import CloudBurstTarget
from brewslm.serving.targets.elsewhere import EndpointTarget
from brewslm.serving.targets.local import LocalTarget
from brewslm.serving.targets.vllm import VllmTarget

GROUP = "brewslm.targets"
_ALL: tuple[type[Target], ...] = (LocalTarget, VllmTarget, EndpointTarget, CloudBurstTarget)
TARGETS: Extensible[Target] = Extensible(
    GROUP, {kind.name: kind() for kind in _ALL}, Target, "name", {"meaning": str}, lambda kind: kind()
)


def target_of(name: str) -> Target:
    """The target of this name.

    Raises:
        StageError(UnknownTarget): There is none; or its plugin could not be loaded.
    """
    try:
        return TARGETS[name]
    except KeyError:
        failed = next((one for one in broken(GROUP) if f": {name} = " in one.entry_point), None)
        cause = f"its plugin could not be loaded: {failed.error}" if failed else did_you_mean(name, TARGETS)
        raise StageError(UnknownTarget(), where=name, cause=cause) from None


__all__ = ["TARGETS", "Lacking", "Servable", "Server", "Target", "target_of"]
