"""A language model that sees (SmolVLM-type): pictures become positions among the prompt's tokens."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from brewslm.media import opened_picture
from brewslm.models.architectures.base import IGNORED, Encoded
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.architectures.writing import ANSWER, Writer, of_type, padded, until_end
from brewslm.models.prompt import Message, Prompt, media_of
from brewslm.models.template_guard import marks_of, neutral

_KEPT_IDS = 1 << 14
_OF_TEXT = ("input_ids", "attention_mask")


class VisionLanguage(Writer):
    """Reads a prompt with its pictures, and writes from left to right."""

    name: ClassVar[ArchitectureName] = "vision_language"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._ids: dict[tuple[str, tuple[tuple[int, int], ...]], list[int]] = {}

    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """Prompt, answer and end mark; the pictures are opened when the row's turn comes, and not before."""
        asked = self.prompt_ids(prompt)
        answer = self._tokenizer(neutral(completion, self._marks), add_special_tokens=False)["input_ids"]
        ids = [*asked, *answer, self.end]
        labels = [IGNORED] * len(asked) + ids[len(asked) :]
        return Encoded(row_id, {"input_ids": ids, "pictures": media_of(prompt, "image")}, labels, len(ids))

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Padded on the right, with the pictures' pixels."""
        labels = padded([one.labels for one in batch], IGNORED)
        return self._text([one.inputs["input_ids"] for one in batch]) | self._seen(batch) | {"labels": labels}

    def answer_logits(self, logits: Any, labels: Any) -> tuple[Any, Any]:
        """Each position tells the next token."""
        return logits[:, :-1], labels[:, 1:]

    def read_weights(self, folder: Path) -> Any:
        """As the folder has them."""
        import torch
        from transformers import AutoModelForImageTextToText

        return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    def save_reader(self, folder: Path) -> None:
        """Tokenizer, image processor and chat template."""
        self._processor.save_pretrained(folder)

    def answers(self, model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> list[str]:
        """Padded on the left."""
        import torch
        from transformers import GenerationConfig

        rows = [Encoded("", {"pictures": media_of(one, "image")}, [], 0) for one in prompts]
        text = self._text([self.prompt_ids(one) for one in prompts], left=True)
        config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=self.end, pad_token_id=self._pad)
        with torch.inference_mode():
            out = model.generate(**text, **of_type(self._seen(rows), model.dtype), generation_config=config)
        written = out[:, text["input_ids"].shape[1] :].tolist()
        return [str(self._tokenizer.decode(until_end(ids, self.end), skip_special_tokens=True)) for ids in written]

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """The ids of a prompt, a picture's places among them: how many those are hangs on its size alone."""
        sizes = tuple((part["width"], part["height"]) for part in media_of(prompt, "image"))
        key = (self._prompt_text(prompt), sizes)
        if key not in self._ids:
            if len(self._ids) >= _KEPT_IDS:
                self._ids.clear()
            self._ids[key] = self._processed(*key)
        return self._ids[key]

    @cached_property
    def end(self) -> int:
        """The token that ends an answer: what the template writes right after one, or else the tokenizer's eos."""
        turn = [{"role": "user", "content": _parts("Q")}, {"role": "assistant", "content": _parts(ANSWER)}]
        after = str(self._processor.apply_chat_template(turn, tokenize=False)).rpartition(ANSWER)[2]
        written = self._tokenizer(after, add_special_tokens=False)["input_ids"]
        is_mark = written and written[0] in self._tokenizer.added_tokens_decoder and self._tokenizer.decode(written[:1]).strip()
        return int(written[0] if is_mark else self._tokenizer.eos_token_id)

    def _prompt_text(self, prompt: Prompt) -> str:
        messages = [{"role": one["role"], "content": _parts(one["content"], self._marks)} for one in prompt.messages]
        return str(self._processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def _processed(self, text: str, sizes: tuple[tuple[int, int], ...]) -> list[int]:
        from PIL import Image

        blank = [[Image.new("RGB", size) for size in sizes]] if sizes else None
        ids: list[int] = self._processor(text=[text], images=blank, add_special_tokens=False)["input_ids"][0]
        return list(ids)

    def _text(self, ids: Sequence[list[int]], *, left: bool = False) -> dict[str, Any]:
        mask = padded([[1] * len(one) for one in ids], 0, left=left)
        return {"input_ids": padded(ids, self._pad, left=left), "attention_mask": mask}

    def _seen(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """The pixels of all pictures of a batch, as the model's own processor cuts and scales them."""
        pictures = [[opened_picture(file) for file in one.inputs["pictures"]] for one in batch]
        if not any(pictures):
            return {}
        return dict(self._processor.image_processor(images=pictures, return_tensors="pt"))

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor
        from transformers.utils import logging

        before = logging.get_verbosity()
        logging.set_verbosity_error()  # that torchvision is not there is no news: Pillow does its work
        try:
            return AutoProcessor.from_pretrained(self.folder)
        finally:
            logging.set_verbosity(before)

    @property
    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    @property
    def _pad(self) -> int:
        found = self._tokenizer.pad_token_id
        return int(self.end if found is None else found)

    @cached_property
    def _marks(self) -> tuple[str, ...]:
        return marks_of(self._tokenizer)


def _parts(content: Any, marks: tuple[str, ...] = ()) -> list[Message]:
    """Content as parts: some templates know nothing else. A person's text becomes no control token."""
    listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {"type": "text", "text": neutral(part["text"], marks)} if part["type"] == "text" else {"type": part["type"]}
        for part in listed
    ]
