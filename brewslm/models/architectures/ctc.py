"""Speech to letters by CTC (Wav2Vec2-type; Graves et al. 2006): one letter or a blank for each frame, put together afterwards."""

import math
import time
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, ClassVar

from brewslm.models.architectures.base import IGNORED, Architecture, Encoded
from brewslm.models.architectures.hearing import Hearing, clip_of
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.architectures.writing import by_length, of_type, padded
from brewslm.models.prompt import Listener, Prompt, SendsMessages, TellingPredictor, together
from brewslm.models.spelling import plain_words

BATCH = 16


class Ctc(Architecture):
    """Reads a recording and writes its words, in the letters that the model knows, without punctuation."""

    name: ClassVar[ArchitectureName] = "ctc"
    new_modules = ("lm_head",)
    """Not new, but small: an adapter holds it whole."""
    least_supervised = 1

    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """Labels are letters; none where a letter or digit is not among the model's, or a frame is too little for each."""
        clip, labels = clip_of(prompt), self.letters(completion)
        frames = self.frames(clip["seconds"])
        needed = len(labels) + sum(one == other for one, other in pairwise(labels))
        return Encoded(row_id, {"clip": clip}, labels if needed <= frames else [], frames)

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Features and their mask, padded on the right; labels (rows, longest), IGNORED behind each."""
        labels = [one.labels or [IGNORED] for one in batch]
        return self.heard([one.inputs["clip"] for one in batch]) | {"labels": padded(labels, IGNORED)}

    def loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Sum of the CTC loss over the rows."""
        return self.row_losses(model, inputs).sum()

    def row_losses(self, model: Any, inputs: dict[str, Any]) -> Any:
        """The CTC loss of each row: minus the log-probability of its letters."""
        from torch.nn.functional import ctc_loss

        labels = inputs["labels"]
        logits = self.logits(model, inputs).float()
        counted = labels != IGNORED
        return ctc_loss(
            logits.log_softmax(-1).transpose(0, 1), labels.clamp(min=0), self.frames_of(inputs, logits), counted.sum(-1),
            blank=self._tokenizer.pad_token_id, reduction="none", zero_infinity=True,
        )  # fmt: skip

    def adapted_modules(self, model: Any) -> str | list[str]:
        """By their names: left to itself PEFT counts `lm_head` in, takes it for an embedding, and can not save it."""
        from torch.nn import Linear

        found = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, Linear)}
        return sorted(found - set(self.new_modules))

    def read_weights(self, folder: Path) -> Any:
        """As the folder has them."""
        import torch
        from transformers import AutoModelForCTC

        return AutoModelForCTC.from_pretrained(folder, dtype=torch.float32).eval()

    def predictor(self, model: Any, on_answers: Listener | None = None) -> TellingPredictor:
        """Asks it for the likeliest letter of each frame."""
        return CtcPredictor(self, model, on_answers)

    def save_reader(self, folder: Path) -> None:
        """Feature extractor and letters."""
        self._processor.save_pretrained(folder)

    def letters(self, text: str) -> list[int]:
        """The ids of a text's words; [] where one of its letters or digits is not known."""
        words = plain_words(text)
        known = self._tokenizer.get_vocab()
        spelt = [one if one in known else one.upper() for one in words]
        if any(one.isalnum() and one not in known for one in spelt):
            return []
        kept = "".join(one for one in spelt if one in known or one == " ")
        ids: list[int] = self._tokenizer(" ".join(kept.split())).input_ids
        return ids

    def words(self, ids: Sequence[int]) -> str:
        """The text of the frames' letters: repeated ones are one, and blanks are nothing."""
        return str(self._tokenizer.decode([place for place, _ in groupby(ids)], group_tokens=False)).strip().lower()

    def logits(self, model: Any, inputs: dict[str, Any]) -> Any:
        """(rows, frames, letters). A model that was trained without a mask is asked without one."""
        left_out = {"labels"} if self._processor.feature_extractor.return_attention_mask else {"labels", "attention_mask"}
        read = {name: value for name, value in inputs.items() if name not in left_out}
        return model(**of_type(read, model.dtype)).logits

    def frames(self, seconds: float) -> int:
        """Positions of a recording: by the model's strides, or by the bands' (25 ms wide, one every 10 ms)."""
        rate = self._hearing.rate
        samples = round(seconds * rate)
        if self._reads_bands:
            return max(0, (samples - rate // 40) // (rate // 100) + 1) // getattr(self._processor.feature_extractor, "stride", 1)
        for kernel, stride in zip(self._config.conv_kernel, self._config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1
        return max(0, samples)

    def frames_of(self, inputs: dict[str, Any], logits: Any) -> Any:
        """Positions of each row that are not padding: (rows,)."""
        import torch

        heard = inputs["attention_mask"].sum(-1)
        if self._reads_bands:
            return heard
        return torch.tensor([min(self.frames(int(count) / self._hearing.rate), logits.shape[1]) for count in heard])

    def heard(self, clips: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Their features as the model reads them."""
        import numpy as np
        import torch

        features = [self._hearing.of(clip) for clip in clips]
        longest = max(len(one) for one in features)
        shape = (len(features), longest, *features[0].shape[1:])
        values, mask = np.zeros(shape, np.float32), np.zeros(shape[:2], np.int64)
        for row, one in enumerate(features):
            values[row, : len(one)], mask[row, : len(one)] = one, 1
        return {self._extractor_name: torch.from_numpy(values), "attention_mask": torch.from_numpy(mask)}

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        return AutoProcessor.from_pretrained(self.folder)

    @property
    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    @property
    def _extractor_name(self) -> str:
        return str(self._processor.feature_extractor.model_input_names[0])

    @cached_property
    def _hearing(self) -> Hearing:
        return Hearing(self._processor.feature_extractor, self._extractor_name)

    @cached_property
    def _config(self) -> Any:
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(self.folder)

    @property
    def _reads_bands(self) -> bool:
        return self._extractor_name != "input_values"


class CtcPredictor(SendsMessages):
    """Answers with weights in memory.

    Args:
        on_answers: Told of each batch's answers.
    """

    def __init__(self, architecture: Ctc, model: Any, on_answers: Listener | None) -> None:
        self._architecture, self._model, self._on_answers = architecture, model, on_answers

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """Per prompt, the words of its recording; how many they may be is not limited. No answer is held to a JSON schema."""
        import torch

        clips, answers = [clip_of(prompt) for prompt in prompts], [""] * len(prompts)
        for places in by_length([round(1000 * clip["seconds"]) for clip in clips], BATCH):
            began = time.monotonic()
            inputs = self._architecture.heard([clips[place] for place in places])
            with torch.inference_mode():
                logits = self._architecture.logits(self._model, inputs)
            rows = zip(places, logits.argmax(-1).tolist(), self._architecture.frames_of(inputs, logits).tolist(), strict=True)
            for place, letters, frames in rows:
                answers[place] = self._architecture.words(letters[:frames])
            if self._on_answers:
                self._on_answers(together(places, answers, "free_text", time.monotonic() - began))
        return answers

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each text's probability given that one of them was said: (prompts, labels), rows sum to 1."""
        import torch

        began = time.monotonic()
        pairs = [(prompt, label) for prompt in prompts for label in labels]
        said = [one for one, _ in self._likelihoods([one for one, _ in pairs], [one for _, one in pairs])]
        listed: list[list[float]] = torch.tensor(said).view(len(prompts), len(labels)).softmax(-1).tolist()
        if self._on_answers:
            self._on_answers(together(range(len(prompts)), listed, "label_log_probability", time.monotonic() - began))
        return listed

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability of its words, over all ways to put them together, and how many letters they are."""
        began = time.monotonic()
        found = self._likelihoods(prompts, completions)
        if self._on_answers:
            self._on_answers(together(range(len(prompts)), found, "log_likelihood", time.monotonic() - began))
        return found

    def _likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        import torch

        rows = [self._architecture.encode("", *pair) for pair in zip(prompts, completions, strict=True)]
        found: list[tuple[float, int]] = [(-math.inf, 0)] * len(rows)
        for places in by_length([row.tokens for row in rows], BATCH):
            with torch.inference_mode():
                inputs = self._architecture.collate([rows[place] for place in places])
                losses = self._architecture.row_losses(self._model, inputs).tolist()
            for place, loss in zip(places, losses, strict=True):
                if rows[place].labels:
                    found[place] = (-loss, len(rows[place].labels))
        return found
