"""Mappers: one file each."""

from collections.abc import Mapping

from brewslm.errors import StageError, did_you_mean
from brewslm.mappers.audio_transcript import AudioTranscript
from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.bio_to_spans import BioToSpans
from brewslm.mappers.chat_messages_passthrough import ChatMessagesPassthrough
from brewslm.mappers.image_text import ImageText
from brewslm.mappers.kv_to_structured import KvToStructured
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.preference_pair import PreferencePair
from brewslm.mappers.qa_pair_passthrough import QaPairPassthrough
from brewslm.mappers.rag_passthrough import RagPassthrough
from brewslm.mappers.safety_prompt import SafetyPrompt
from brewslm.mappers.seq2seq_pair import Seq2SeqPair
from brewslm.mappers.text_only import TextOnly
from brewslm.plugins import Extensible, broken
from brewslm.reasons.refusals import UnknownMapper

__all__ = ["MAPPERS", "Field", "Mapper", "Refused", "mapper_of", "mapper_type"]

PLUGINS = "brewslm.mappers"
_BUILT_IN: dict[str, type[Mapper]] = {
    mapper.id: mapper
    for mapper in (
        LabelToClassification,
        QaPairPassthrough,
        RagPassthrough,
        ChatMessagesPassthrough,
        PreferencePair,
        Seq2SeqPair,
        BioToSpans,
        KvToStructured,
        TextOnly,
        ImageText,
        AudioTranscript,
        SafetyPrompt,
    )
}
_NEEDS = {"id": str, "task_profile": str, "meaning": str, "fields": dict, "options": dict}
MAPPERS: Extensible[type[Mapper]] = Extensible(PLUGINS, _BUILT_IN, Mapper, "id", _NEEDS, lambda plugin: plugin)


def mapper_type(name: str) -> type[Mapper]:
    """The mapper of this name.

    Raises:
        StageError(UnknownMapper): There is none.
    """
    if name not in MAPPERS:
        cause = did_you_mean(name, MAPPERS)
        for failed in broken(PLUGINS):
            cause += f"; a plugin could not be loaded: {failed.entry_point}: {failed.error}"
        raise StageError(UnknownMapper(), where=name, cause=cause)
    return MAPPERS[name]


def mapper_of(name: str, field_map: Mapping[str, str]) -> Mapper:
    """The mapper of this name, for this field map.

    Raises:
        StageError(UnknownMapper): There is none.
        StageError(InvalidRequest, ColumnMissing): The field map does not suit it.
    """
    return mapper_type(name)(field_map)
