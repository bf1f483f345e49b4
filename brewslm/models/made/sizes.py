"""How large the made models are."""

from dataclasses import dataclass

from brewslm.models.architectures.names import ArchitectureName


@dataclass(frozen=True)
class Size:
    """A made model.

    Attributes:
        hidden: Width of its layers; the MLP's is three times as much.
        layers: Of each of its parts.
        words: Tokens that its tokenizer learns at most, of the common words; letters for ctc.
        picture: Side of the square that a picture is scaled into, in pixels; 0 for others.
        seconds: The longest recording, where it reads so much at once; 0 for others.
    """

    architecture: ArchitectureName
    hidden: int
    layers: int
    words: int = 1024
    picture: int = 0
    seconds: int = 0


MADE: dict[str, Size] = {
    "vision-small": Size("vision_language", 128, 4, picture=64),
    "vision-tiny": Size("vision_language", 32, 2, words=400, picture=16),
    "speech-ctc-small": Size("ctc", 128, 4),
    "speech-ctc-tiny": Size("ctc", 32, 2),
    "speech-encoder-decoder-small": Size("speech_encoder_decoder", 128, 4, seconds=8),
    "speech-encoder-decoder-tiny": Size("speech_encoder_decoder", 32, 2, words=400, seconds=2),
    "encoder-decoder-small": Size("encoder_decoder", 128, 4),
    "encoder-decoder-tiny": Size("encoder_decoder", 32, 2, words=400),
}
"""By the name after `made:`. Small ones learn a narrow task in minutes; tiny ones are there to see that everything works."""
