"""Which architecture a model is of: what it reads, what it writes, and so how it is trained and asked."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

ArchitectureName = Literal[
    "causal", "encoder", "encoder_decoder", "vision_language", "speech_encoder_decoder", "ctc"
]  # fmt: skip
"""causal writes text from left to right; encoder gets a classification head; encoder_decoder reads one text and writes another;
vision_language reads pictures too; speech_encoder_decoder (Whisper-type) and ctc (Wav2Vec2-type) write down speech."""
NAMES: tuple[ArchitectureName, ...] = get_args(ArchitectureName)
_CAUSAL = ("ForCausalLM", "LMHeadModel")


def architecture_of(config: dict[str, Any]) -> ArchitectureName | None:
    """The architecture of a config.json; None of one that we don't train. `config["architectures"][0]` must be a text."""
    return next(_named(config, config["architectures"][0], str(config.get("model_type"))), None)


def _named(config: dict[str, Any], written: str, model_type: str) -> Iterator[ArchitectureName]:
    from transformers.models.auto import modeling_auto as auto

    def is_in(mapping: str) -> bool:
        return model_type in getattr(auto, f"MODEL_FOR_{mapping}_MAPPING_NAMES")

    reads_more = "vision_config" in config or "audio_config" in config
    if written.endswith("ForCTC") and is_in("CTC"):
        yield "ctc"
    if config.get("is_encoder_decoder"):
        if is_in("SPEECH_SEQ_2_SEQ"):
            yield "speech_encoder_decoder"
        elif is_in("SEQ_TO_SEQ_CAUSAL_LM") and not reads_more:
            yield "encoder_decoder"
        return
    if reads_more:
        if is_in("IMAGE_TEXT_TO_TEXT") and "vision_config" in config:
            yield "vision_language"
        return
    if written.endswith(_CAUSAL):
        yield "causal"
    elif is_in("SEQUENCE_CLASSIFICATION") and is_in("MASKED_LM"):
        yield "encoder"
