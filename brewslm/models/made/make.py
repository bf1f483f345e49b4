"""`python -m brewslm.models.made.make <name> <folder>`: writes a made model's config, seeded weights, and what it reads with."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.made import tokens
from brewslm.models.made.sizes import MADE, Size

SEED = 0
HEADS = 4
PATCH, SCALE = 8, 2
"""Pixels of a patch's side, and patches that become one token's side."""
CONTEXT = 1024
RATE = 16_000
MELS = 80
_SPEECH_DROPOUT = {
    "hidden_dropout": 0.05, "attention_dropout": 0.05, "activation_dropout": 0.0, "feat_proj_dropout": 0.0, "final_dropout": 0.0,
    "layerdrop": 0.0, "apply_spec_augment": False, "mask_time_prob": 0.0,
}  # fmt: skip


def main() -> None:
    """Make one."""
    import torch

    size, folder = MADE[sys.argv[1]], Path(sys.argv[2])
    torch.manual_seed(SEED)
    model, reader = _MAKERS[size.architecture](size, folder)
    reader.save_pretrained(folder)
    model.save_pretrained(folder)


def vision_language(size: Size, _: Path) -> tuple[Any, Any]:
    """As SmolVLM: Idefics3, a SigLIP-type encoder before a Llama. One picture is (picture / 16)² tokens."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessorPil, Idefics3Processor

    tokenizer, side = tokens.chat_with_pictures(size.words), size.picture
    square = {"longest_edge": side}
    reads = Idefics3ImageProcessorPil(do_image_splitting=False, size=square, max_image_size=square)
    processor = Idefics3Processor(reads, tokenizer, image_seq_len=(side // PATCH // SCALE) ** 2, chat_template=tokens.CHAT)
    layers = {
        "hidden_size": size.hidden, "intermediate_size": 3 * size.hidden, "num_hidden_layers": size.layers,
        "num_attention_heads": HEADS,
    }  # fmt: skip
    text = {
        "model_type": "llama", "vocab_size": len(tokenizer), "num_key_value_heads": HEADS, "max_position_embeddings": CONTEXT,
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_token_id, **layers,
    }  # fmt: skip
    config = Idefics3Config(
        text_config=text, vision_config={"image_size": side, "patch_size": PATCH, **layers}, scale_factor=SCALE,
        image_token_id=tokenizer.convert_tokens_to_ids(tokens.IMAGE), pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )  # fmt: skip
    return Idefics3ForConditionalGeneration(config), processor


def ctc(size: Size, folder: Path) -> tuple[Any, Any]:
    """As Wav2Vec2-BERT: a conformer over mel bands, whose letters CTC puts together. 50 frames a second."""
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertForCTC, Wav2Vec2BertProcessor

    tokenizer = tokens.letters(folder)
    reads = SeamlessM4TFeatureExtractor(feature_size=MELS, num_mel_bins=MELS, sampling_rate=RATE, stride=2)
    config = Wav2Vec2BertConfig(
        vocab_size=len(tokenizer), hidden_size=size.hidden, num_hidden_layers=size.layers, num_attention_heads=HEADS,
        intermediate_size=3 * size.hidden, feature_projection_input_dim=2 * MELS, conv_depthwise_kernel_size=15,
        conformer_conv_dropout=0.05, pad_token_id=tokenizer.pad_token_id, ctc_zero_infinity=True, **_SPEECH_DROPOUT,
    )  # fmt: skip
    return Wav2Vec2BertForCTC(config), Wav2Vec2BertProcessor(reads, tokenizer)


def speech_encoder_decoder(size: Size, folder: Path) -> tuple[Any, Any]:
    """As Whisper, of one language and without times; its window is shorter than Whisper's 30 seconds."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperProcessor

    tokenizer = tokens.whisper(size.words, folder)
    reads = WhisperFeatureExtractor(feature_size=MELS, sampling_rate=RATE, chunk_length=size.seconds)
    end, start = tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|startoftranscript|>")
    config = WhisperConfig(
        vocab_size=len(tokenizer), num_mel_bins=MELS, d_model=size.hidden, encoder_layers=size.layers,
        decoder_layers=size.layers, encoder_attention_heads=HEADS, decoder_attention_heads=HEADS,
        encoder_ffn_dim=3 * size.hidden, decoder_ffn_dim=3 * size.hidden, max_source_positions=size.seconds * 50,
        max_target_positions=448, pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=start,
        suppress_tokens=None, begin_suppress_tokens=None, dropout=0.05,
    )  # fmt: skip
    return WhisperForConditionalGeneration(config), WhisperProcessor(reads, tokenizer)


def encoder_decoder(size: Size, _: Path) -> tuple[Any, Any]:
    """As T5 1.1."""
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tokens.text_to_text(size.words)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=size.hidden, d_kv=size.hidden // HEADS, d_ff=3 * size.hidden, num_layers=size.layers,
        num_heads=HEADS, feed_forward_proj="gated-gelu", dropout_rate=0.05, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, decoder_start_token_id=tokenizer.pad_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    return T5ForConditionalGeneration(config), tokenizer


_MAKERS: dict[ArchitectureName, Callable[[Size, Path], tuple[Any, Any]]] = {
    "vision_language": vision_language,
    "ctc": ctc,
    "speech_encoder_decoder": speech_encoder_decoder,
    "encoder_decoder": encoder_decoder,
}

if __name__ == "__main__":
    main()
