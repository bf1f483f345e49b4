"""A model that reads one text and writes another (T5-type)."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from brewslm.models.architectures.base import IGNORED, Encoded
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.architectures.writing import Writer, padded, until_end
from brewslm.models.prompt import Prompt, words_of
from brewslm.models.template_guard import marks_of, neutral


class EncoderDecoder(Writer):
    """Reads all messages of a prompt as one text: it has no roles."""

    name: ClassVar[ArchitectureName] = "encoder_decoder"

    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """The decoder starts anew, so that every label is supervised."""
        labels = self._tokenizer(text_target=neutral(completion, self._marks), truncation=False)["input_ids"]
        if labels[-1:] != [self.end_id]:
            labels = [*labels, self.end_id]
        ids = self.prompt_ids(prompt)
        return Encoded(row_id, {"input_ids": ids}, list(labels), max(len(ids), len(labels)))

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Padded on the right."""
        return self._read([one.inputs["input_ids"] for one in batch]) | {"labels": padded([one.labels for one in batch], IGNORED)}

    def read_weights(self, folder: Path) -> Any:
        """As the folder has them."""
        import torch
        from transformers import AutoModelForSeq2SeqLM

        return AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()

    def save_reader(self, folder: Path) -> None:
        """The tokenizer."""
        self._tokenizer.save_pretrained(folder)

    def answers(self, model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> list[str]:
        """Greedy."""
        import torch
        from transformers import GenerationConfig

        config = GenerationConfig(
            max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=self.end_id, pad_token_id=self._tokenizer.pad_token_id,
            decoder_start_token_id=model.config.decoder_start_token_id,
        )  # fmt: skip
        with torch.inference_mode():
            out = model.generate(**self._read([self.prompt_ids(one) for one in prompts]), generation_config=config)
        return [str(self._tokenizer.decode(until_end(ids[1:], self.end_id), skip_special_tokens=True)) for ids in out.tolist()]

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """What the encoder reads, with the tokenizer's own marks."""
        text = " ".join(words_of(message) for message in prompt.messages)
        ids: list[int] = self._tokenizer(neutral(text, self._marks), truncation=False)["input_ids"]
        return ids

    def _read(self, ids: Sequence[list[int]]) -> dict[str, Any]:
        mask = padded([[1] * len(one) for one in ids], 0)
        return {"input_ids": padded(ids, self._tokenizer.pad_token_id), "attention_mask": mask}

    @property
    def end_id(self) -> int:
        """The tokenizer's own."""
        return int(self._tokenizer.eos_token_id)

    @cached_property
    def _marks(self) -> tuple[str, ...]:
        return marks_of(self._tokenizer)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.folder)
        tokenizer.model_max_length = max(tokenizer.model_max_length, 10**6)  # rows are rejected by length, never cut
        return tokenizer
