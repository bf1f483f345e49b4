"""Toolchains: pinned environments for programs that can't share ours."""

from fastapi import APIRouter, Response

from brewslm.api.work import Key, asked, queue
from brewslm.observe.toolchains import ToolchainView, toolchain_views
from brewslm.pipeline.runs import RunView
from brewslm.stages.toolchains import InstallRequest

router = APIRouter(prefix="/api/toolchains", tags=["toolchains"])


@router.get("", operation_id="toolchain.list")
def listed() -> list[ToolchainView]:
    """What each is for, and whether it is installed on this machine."""
    return toolchain_views()


@router.post("/{name}/install", operation_id="toolchain.install", status_code=202)
def install(name: str, response: Response, key: Key = None) -> RunView:
    """Make its environment on this machine; one that is there is left as it is."""
    return queue(asked(InstallRequest, toolchain=name), key, response)
