"""Mappers: one file each."""

from collections.abc import Mapping

from brewslm.errors import StageError, did_you_mean
from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.bio_to_spans import BioToSpans
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.qa_pair_passthrough import QaPairPassthrough
from brewslm.reasons.refusals import UnknownMapper

__all__ = ["MAPPERS", "Field", "Mapper", "Refused", "mapper_of", "mapper_type"]

MAPPERS: dict[str, type[Mapper]] = {mapper.id: mapper for mapper in (LabelToClassification, QaPairPassthrough, BioToSpans)}


def mapper_type(name: str) -> type[Mapper]:
    """The mapper of this name.

    Raises:
        StageError(UnknownMapper): There is none.
    """
    if name not in MAPPERS:
        raise StageError(UnknownMapper(), where=name, cause=did_you_mean(name, MAPPERS))
    return MAPPERS[name]


def mapper_of(name: str, field_map: Mapping[str, str]) -> Mapper:
    """The mapper of this name, for this field map.

    Raises:
        StageError(UnknownMapper): There is none.
        StageError(InvalidRequest, ColumnMissing): The field map does not suit it.
    """
    return mapper_type(name)(field_map)
