"""Architectures other than causal: one file each. (Causal models have a training and predictors of their own.)"""

from pathlib import Path

from brewslm.models.architectures.base import Architecture, Encoded
from brewslm.models.architectures.ctc import Ctc
from brewslm.models.architectures.encoder import EncoderWithHead
from brewslm.models.architectures.encoder_decoder import EncoderDecoder
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.architectures.speech_encoder_decoder import SpeechEncoderDecoder
from brewslm.models.architectures.vision_language import VisionLanguage
from brewslm.rows.manifest import OutputSchema

_ALL: tuple[type[Architecture], ...] = (EncoderWithHead, EncoderDecoder, VisionLanguage, SpeechEncoderDecoder, Ctc)
ARCHITECTURES = {one.name: one for one in _ALL}


def architecture_for(name: ArchitectureName, folder: Path, schema: OutputSchema) -> Architecture:
    """The architecture of a base model's folder; KeyError for causal."""
    return ARCHITECTURES[name](folder, schema)


__all__ = ["ARCHITECTURES", "Architecture", "Encoded", "architecture_for"]
