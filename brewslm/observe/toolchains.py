"""A read-only view of the toolchains: what each is for, and whether it is on this machine."""

from pydantic import BaseModel

from brewslm.models.formats import FORMATS, needed_toolchains
from brewslm.processes.toolchains import Toolchain, install_command, installed, toolchains


class ToolchainView(BaseModel):
    """A toolchain.

    Attributes:
        formats: Export formats that need it.
        packages: Name → version, of what is installed.
        next_step: The command that installs it; None where it is.
    """

    name: str
    title: str
    formats: list[str]
    installed: bool
    installed_at: str | None = None
    size_bytes: int | None = None
    path: str | None = None
    packages: dict[str, str] = {}
    disk_gb: float
    next_step: str | None = None


def toolchain_views() -> list[ToolchainView]:
    """Every toolchain that is known."""
    return [_view(one) for one in toolchains()]


def _view(one: Toolchain) -> ToolchainView:
    found = installed(one)
    known = found.model_dump(include={"installed_at", "size_bytes", "packages"}) if found else {}
    return ToolchainView(
        name=one.name, title=one.definition.title, formats=list(needed_toolchains(FORMATS).get(one.name, ())),
        installed=found is not None, path=str(one.folder) if found else None, disk_gb=one.definition.disk_gb,
        next_step=None if found else install_command([one.name]), **known,
    )  # fmt: skip
