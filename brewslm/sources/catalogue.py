"""The catalogue of samples: presets/samples.yaml."""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from brewslm.sources.base import SourceHints

_PRESET = Path(__file__).parent.parent / "presets" / "samples.yaml"


class Sample(BaseModel):
    """One sample.

    Attributes:
        members: Which files of the package: a pattern per level of archive.
        reader: A function of sample_readers.
        mapping: Entries for the field map that no column name can tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: str
    licence: str
    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    sha256: str
    members: list[str]
    reader: Literal["scored_lines", "tagged_xml", "conversations"]
    mapping: SourceHints | None = None


@cache
def samples() -> dict[str, Sample]:
    """Every sample by name."""
    return {name: Sample.model_validate(entry) for name, entry in yaml.safe_load(_PRESET.read_text("utf-8")).items()}
