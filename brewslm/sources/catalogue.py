"""The catalogue of samples: presets/samples.yaml."""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import InvalidRequest
from brewslm.sources.base import SourceHints

_PRESET = Path(__file__).parent.parent / "presets" / "samples.yaml"


class Quick(BaseModel):
    """What the quickstart does with a sample.

    Attributes:
        ask: Texts that the deployed model is asked at the end; they are not rows of the sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_rows: int
    dev_rows: int
    eval_rows: int
    ask: list[str]


class Sample(BaseModel):
    """One sample.

    Attributes:
        members: Which files of the package: a pattern per level of archive.
        reader: A function of sample_readers.
        mapping: Entries for the field map that no column name can tell.
        quickstart: None where its rows alone are no task to begin with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: str
    licence: str
    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    sha256: str
    members: list[str]
    reader: Literal["scored_lines", "tagged_xml", "conversations", "harmful_prompts", "spoken_clips"]
    mapping: SourceHints | None = None
    quickstart: Quick | None = None


@cache
def samples() -> dict[str, Sample]:
    """Every sample by name."""
    return {name: Sample.model_validate(entry) for name, entry in yaml.safe_load(_PRESET.read_text("utf-8")).items()}


def quick_of(name: str) -> Quick:
    """What the quickstart does with this sample.

    Raises:
        StageError(InvalidRequest): No sample for a quickstart has this name.
    """
    known = {sample: entry.quickstart for sample, entry in samples().items() if entry.quickstart is not None}
    if name not in known:
        raise StageError(InvalidRequest(), f"there is no sample {name} to begin with", cause=did_you_mean(name, known))
    return known[name]
