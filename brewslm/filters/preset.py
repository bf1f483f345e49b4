"""The figures of cleaning, in presets/cleaning.yaml."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from brewslm.presets import checked, read_preset


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutlierPreset(_Strict):
    """When a batch of documents is told to be odd.

    Attributes:
        deviations: How many robust standard deviations from the median make a document an outlier.
        share: Of the documents, 0 to 1.
        minimum_documents: A smaller batch is not judged.
    """

    deviations: float
    share: float
    minimum_documents: int


class ChunkPreset(_Strict):
    """Characters of a chunk: as near to `minimum` as its section allows, never more than `maximum`."""

    minimum: int
    maximum: int


class PiiPreset(_Strict):
    """How personal data is looked for.

    Attributes:
        phone_regions: Countries whose phone numbers are read without a country code, such as "US".
        ner: Whether names and places are looked for too, which needs the extra `pii-ner`.
    """

    phone_regions: tuple[str, ...]
    ner: bool = False


class CleaningPreset(_Strict):
    """All of it.

    Attributes:
        boilerplate: Regular expressions, without case; a line that matches one is trimmed.
        minimum_quality: A document below it is rejected.
    """

    boilerplate: tuple[str, ...]
    pii: PiiPreset
    minimum_quality: float
    outlier: OutlierPreset
    chunk: ChunkPreset


@cache
def cleaning_preset() -> CleaningPreset:
    """The preset, read once."""
    return checked(read_preset("cleaning"), CleaningPreset, "cleaning.yaml")
