"""A model that hears a recording and writes it down token by token (Whisper-type)."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from brewslm.models.architectures.base import IGNORED, Encoded
from brewslm.models.architectures.hearing import TOO_LONG, Hearing, clip_of
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.architectures.writing import Writer, of_type, padded, until_end
from brewslm.models.prompt import Prompt

FEATURES = "input_features"
_START, _WRITE, _NO_TIMES, _ENGLISH = "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>", "<|en|>"


class SpeechEncoderDecoder(Writer):
    """Hears one window of sound: a longer recording is no row for it."""

    name: ClassVar[ArchitectureName] = "speech_encoder_decoder"

    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """Of the decoder's tokens the transcript and its end mark are supervised, and not the marks before it."""
        clip, before = clip_of(prompt), self._before
        answer = self._tokenizer(completion, add_special_tokens=False)["input_ids"]
        labels = [*[IGNORED] * (len(before) - 1), *answer, self._end]
        positions = self._extractor.nb_max_frames // 2
        tokens = positions + len(labels) if clip["seconds"] <= self._extractor.chunk_length else TOO_LONG
        return Encoded(row_id, {"clip": clip, "decoder_input_ids": [*before, *answer]}, labels, tokens)

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Features of the whole window; the decoder's tokens padded on the right."""
        return self._heard([one.inputs["clip"] for one in batch]) | {
            "decoder_input_ids": padded([one.inputs["decoder_input_ids"] for one in batch], self._end),
            "labels": padded([one.labels for one in batch], IGNORED),
        }

    def read_weights(self, folder: Path) -> Any:
        """As the folder has them."""
        import torch
        from transformers import AutoModelForSpeechSeq2Seq

        return AutoModelForSpeechSeq2Seq.from_pretrained(folder, dtype=torch.float32).eval()

    def save_reader(self, folder: Path) -> None:
        """Feature extractor and tokenizer."""
        self._processor.save_pretrained(folder)

    def answers(self, model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> list[str]:
        """By the plain greedy search: Whisper's own way to put long recordings together is not that of training."""
        import torch
        from transformers import GenerationConfig, GenerationMixin

        before = torch.tensor([self._before] * len(prompts))
        heard = of_type(self._heard([clip_of(one) for one in prompts]), model.dtype)
        room = min(max_new_tokens, model.config.max_target_positions - before.shape[1])
        config = GenerationConfig(
            max_new_tokens=room, do_sample=False, eos_token_id=self._end, pad_token_id=self._end,
            decoder_start_token_id=self._before[0],
        )  # fmt: skip
        with torch.inference_mode():
            out = GenerationMixin.generate(model, **heard, decoder_input_ids=before, generation_config=config)
        written = out[:, before.shape[1] :].tolist()
        return [str(self._tokenizer.decode(until_end(ids, self._end), skip_special_tokens=True)).strip() for ids in written]

    def _heard(self, clips: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import numpy as np
        import torch

        return {FEATURES: torch.from_numpy(np.stack([self._hearing.of(clip) for clip in clips]))}

    @cached_property
    def _before(self) -> list[int]:
        """What stands before a transcript. A model of many languages is told that it is English."""
        known = self._tokenizer.get_vocab()
        language = [_ENGLISH, _WRITE] if _ENGLISH in known else []
        return [known[mark] for mark in (_START, *language, _NO_TIMES)]

    @property
    def _end(self) -> int:
        return int(self._tokenizer.eos_token_id)

    @cached_property
    def _hearing(self) -> Hearing:
        return Hearing(self._extractor, FEATURES)

    @property
    def _extractor(self) -> Any:
        return self._processor.feature_extractor

    @property
    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        return AutoProcessor.from_pretrained(self.folder)
