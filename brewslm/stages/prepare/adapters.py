"""Adapter presets: from a row's columns to the canonical fields of one task profile."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import BaseModel, ConfigDict

from brewslm import presets
from brewslm.errors import StageError
from brewslm.media import is_media
from brewslm.reasons.refusals import InvalidRequest

AUTO, AS_IT_IS = "auto", "default-canonical"
Fitting = Callable[[Mapping[str, "AdapterPreset"]], str]
"""Of several presets by name the one that rows are to be read with."""


class AdapterPreset(BaseModel):
    """How the rows of one task profile are read; a file of presets/adapters/, or a YAML file of one's own.

    Attributes:
        task_profile: What the rows become.
        accepts: The task profiles of rows that it reads.
        fields: Each canonical field, and the columns that may hold it, the first that does being taken.
        optional: Canonical fields that a row may lack.
        input_field: The canonical field that is asked: two rows with the same text there must not stand on two sides.
        asked_too: Canonical fields that are asked beside it: rows that differ there say different things, and yet stay together.
        target_field: The canonical field with the right answer; a row without one teaches nothing.
        stratify_by: The canonical field whose values each split holds in proportion.
        excludes: Columns whose rows can't be scored in this mode.
        whole: Keep a row's other columns too, as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_profile: str
    accepts: list[str]
    scoring_mode: str
    fields: dict[str, list[str]]
    optional: list[str] = []
    input_field: str
    asked_too: list[str] = []
    target_field: str
    stratify_by: str | None = None
    excludes: list[str] = []
    whole: bool = False

    def adapt(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The canonical fields of a row; None where it can't be read so. A field may be empty."""
        if any(column in payload for column in self.excludes):
            return None
        adapted = dict(payload) if self.whole else {}
        for field, columns in self.fields.items():
            column = next((one for one in columns if payload.get(one) is not None), None)
            if column is not None:
                adapted[field] = payload[column]
            elif field not in self.optional:
                return None
        return adapted

    def text(self, adapted: Mapping[str, Any]) -> str:
        """What is asked, as text; of a picture or recording the hash of its file."""
        value = adapted[self.input_field]
        return str(value["sha256"]) if is_media(value) else as_text(value)

    def words(self, adapted: Mapping[str, Any]) -> str:
        """What is asked, where it is words: two pictures are not alike because their hashes are."""
        return "" if is_media(adapted[self.input_field]) else self.text(adapted)

    def further(self, adapted: Mapping[str, Any]) -> str:
        """What is asked beside the input, as text."""
        return "\0".join(as_text(adapted[field]) for field in self.asked_too if field in adapted)

    def target(self, adapted: Mapping[str, Any]) -> str:
        """The right answer, as text."""
        return as_text(adapted[self.target_field])

    def stratum(self, adapted: Mapping[str, Any]) -> str:
        """The label whose proportion is kept; "" where there is none."""
        return as_text(adapted[self.stratify_by]) if self.stratify_by else ""


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def adapter_named(
    name: str, dominant: Callable[[], str], profile: str | None, fitting: "Fitting" = min
) -> tuple[str, AdapterPreset]:
    """The preset of this name, and its name.

    Args:
        name: "auto" for the one of the profile; "default-canonical" for the same with every field left as it is; one of
            presets/adapters/; or the path of a YAML file.
        dominant: The task profile of most rows, asked where neither name nor profile says one.
        profile: The task profile that was asked for.
        fitting: Chooses where several presets are of one profile.

    Raises:
        StageError(InvalidRequest): There is none of this name, for this profile, or the file is not one.
    """
    if name in (AUTO, AS_IT_IS):
        wanted = profile or dominant()
        known = _of_profile(wanted)
        found = fitting(known)
        preset = known[found]
        if name == AUTO:
            return found, preset
        return AS_IT_IS, preset.model_copy(update={"accepts": [wanted], "whole": True})
    preset = _from_file(Path(name)) if name.endswith((".yaml", ".yml")) else presets.load("adapters", name, AdapterPreset)
    if profile not in (None, preset.task_profile):
        cause = f"it makes {preset.task_profile} rows"
        raise StageError(InvalidRequest(), f"adapter preset {name} does not fit task profile {profile}", cause=cause)
    return Path(name).stem, preset


def _of_profile(task_profile: str) -> dict[str, AdapterPreset]:
    known = {name: presets.load("adapters", name, AdapterPreset) for name in presets.names("adapters")}
    found = {name: preset for name, preset in known.items() if preset.task_profile == task_profile}
    if found:
        return found
    profiles = ", ".join(sorted({preset.task_profile for preset in known.values()}))
    raise StageError(InvalidRequest(), f"task profile {task_profile} is not known", cause=f"known: {profiles}")


def _from_file(path: Path) -> AdapterPreset:
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StageError(
            InvalidRequest(), "the adapter preset can't be read", where=str(path), cause=type(error).__name__
        ) from error
    return presets.checked(value, AdapterPreset, path.name)
