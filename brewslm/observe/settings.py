"""A read-only view of this installation: its settings, machine, versions, workers, toolchains; of keys their names alone."""

import os
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from brewslm.observe.connectors import broken_plugins
from brewslm.observe.toolchains import ToolchainView, toolchain_views
from brewslm.processes.environment import ran_on
from brewslm.reasons.shown import shown_locator
from brewslm.settings import Settings, settings
from brewslm.store.database import reading
from brewslm.store.locks import is_held
from brewslm.store.records import project_of
from brewslm.store.secrets import endpoint_key_names

_ON_MACHINE = ("machine", "cores", "memory")


class SettingView(BaseModel):
    """One setting.

    Attributes:
        name: The variable of the environment that sets it.
        value: As words; of a secret, whether there is one.
        is_set: The environment says it; otherwise it is as given.
    """

    name: str
    value: str
    meaning: str
    is_set: bool


class WorkerView(BaseModel):
    """A worker that has been at work in this home, and whether it is now."""

    name: str
    is_working: bool


class SettingsView(BaseModel):
    """The installation.

    Attributes:
        machine: Name → words: no path, no host's name.
        versions: Of ours and of the libraries that do the work.
        free_bytes: Of the disk that the home stands on.
        broken_plugins: Entry point → why it could not be loaded.
    """

    home: str
    free_bytes: int
    settings: list[SettingView]
    machine: dict[str, str]
    versions: dict[str, str]
    workers: list[WorkerView]
    toolchains: list[ToolchainView]
    broken_plugins: dict[str, str]


def settings_view() -> SettingsView:
    """All of it, as it is at this moment."""
    now, known = settings(), ran_on()
    return SettingsView(
        home=str(now.home),
        free_bytes=shutil.disk_usage(now.home if now.home.is_dir() else Path.home()).free,
        settings=[_setting(now, name) for name in Settings.model_fields],
        machine={name: known[name] for name in _ON_MACHINE},
        versions={name: value for name, value in known.items() if name not in _ON_MACHINE},
        workers=workers(),
        toolchains=toolchain_views(),
        broken_plugins=dict(broken_plugins("sources") + broken_plugins("mappers")),
    )


def workers() -> list[WorkerView]:
    """Every worker of this home, those at work first."""
    paths = (settings().home / "locks").glob("worker-*")
    found = [WorkerView(name=path.name.removeprefix("worker-"), is_working=is_held(path)) for path in paths]
    return sorted(found, key=lambda one: (not one.is_working, one.name))


def key_names(project: int) -> list[str]:
    """The names of the keys that this project's endpoints can name; a key itself is shown nowhere.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
    return endpoint_key_names(project)


def _setting(now: Settings, name: str) -> SettingView:
    variable = f"BREWSLM_{name.upper()}"
    value: Any = getattr(now, name)
    if name == "database_url":
        value = shown_locator(now.database_url) if now.database_url else "SQLite in the home"
    meaning = " ".join((Settings.model_fields[name].description or "").replace("`", "").split())
    return SettingView(name=variable, value=_said(name, value), meaning=meaning, is_set=variable in os.environ)


def _said(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if name.endswith("_bytes"):
        return f"{value / 2**20:,.0f} MB" if value < 2**30 else f"{value / 2**30:,.0f} GB"
    if name.endswith("_seconds"):
        return f"{value:,.0f} s"
    if name == "threads" and value == 0:
        return "every core"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
