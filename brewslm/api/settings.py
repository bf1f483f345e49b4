"""The installation as it is; of keys their names alone."""

from fastapi import APIRouter

from brewslm.observe.settings import SettingsView, key_names, settings_view

router = APIRouter(prefix="/api", tags=["settings"])


@router.get("/settings", operation_id="settings.show")
def show() -> SettingsView:
    """Home, limits, machine, versions, workers and toolchains of this installation."""
    return settings_view()


@router.get("/projects/{project}/keys", operation_id="settings.keys")
def keys(project: int) -> list[str]:
    """The names of the keys that this project's endpoints can name; a key itself is shown nowhere."""
    return key_names(project)
