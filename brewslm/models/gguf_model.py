"""A GGUF file in this process, through llama.cpp: to quantise it, and to ask it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.models.importance import Importance
from brewslm.models.loading import thread_count, yield_when_waiting

WITH_IMPORTANCE = ("q6_k", "q5_k_m", "q4_k_m", "q4_0")
"""Variants whose rounding an importance matrix changes; Q8_0 rounds each weight to the nearest, whatever it is worth."""


class GgufModel:
    """A GGUF file that answers token ids.

    Args:
        context: Tokens of the longest prompt with its answer.
    """

    def __init__(self, file: Path, context: int) -> None:
        yield_when_waiting()
        import llama_cpp

        self._llama = llama_cpp.Llama(
            str(file), n_ctx=context, n_batch=context, logits_all=True, n_threads=thread_count(), n_gpu_layers=0, verbose=False
        )

    def tokenise(self, text: str) -> list[int]:
        """The file's own tokenizer, with special tokens read as such and none added."""
        ids: list[int] = self._llama.tokenize(text.encode(), add_bos=False, special=True)
        return ids

    def logits(self, prompt: list[int], answer: list[int]) -> Any:
        """Numpy (answer ids, vocabulary): the logits before each answer token, given all that precede it."""
        wanted = prompt + answer[:-1]
        # What the last question began with is in the cache already; prompts of one task share their first half.
        kept = min(_shared(self._llama.input_ids[: self._llama.n_tokens], wanted), len(prompt) - 1)
        self._llama.n_tokens = kept
        self._llama.eval(wanted[kept:])
        scores: Any = self._llama.scores
        return scores[len(prompt) - 1 : len(prompt) - 1 + len(answer)].copy()

    def answer(self, prompt: list[int], max_new_tokens: int) -> tuple[str, bool]:
        """The greedy answer, and whether it stopped by itself."""
        said: Any = self._llama.create_completion(prompt, max_tokens=max_new_tokens, temperature=0.0, repeat_penalty=1.0)
        choice = said["choices"][0]
        return choice["text"], choice["finish_reason"] == "stop"

    def close(self) -> None:
        """Free its memory now."""
        self._llama.close()


def _shared(known: Sequence[int], wanted: Sequence[int]) -> int:
    """Length of the common beginning."""
    return next((place for place, (a, b) in enumerate(zip(known, wanted, strict=False)) if a != b), min(len(known), len(wanted)))


def quantise(source: Path, target: Path, variant: str, importance: Importance | None = None) -> bool:
    """Write a quantised copy.

    Args:
        variant: Such as "q8_0" or "q4_k_m". llama.cpp chooses another type for tensors whose rows its blocks don't divide:
            `gguf_writer.tensor_table` tells what each became.
        importance: What each column of a matrix is worth; None: each the same. Only the types of `WITH_IMPORTANCE` look at it.

    Returns:
        Whether llama.cpp could; what hindered it is on standard error.
    """
    import ctypes

    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{variant.upper()}"), thread_count()
    if importance:
        entry = llama_cpp.llama_model_imatrix_data
        kept = (entry * (len(importance) + 1))()  # the last has no name: there the list ends
        for place, (name, values) in enumerate(importance.items()):
            data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            kept[place] = entry(name=name.encode(), data=data, size=values.size)
        params.imatrix = ctypes.cast(kept, ctypes.POINTER(entry))
    failed: int = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    return failed == 0
