"""A GGUF file in this process, through llama.cpp: to quantise it, and to ask it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.models.loading import thread_count, yield_when_waiting


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

    def top1(self, prompt: list[int], answer: list[int]) -> list[int]:
        """The most probable token before each answer token, given all that precede it."""
        import numpy as np

        wanted = prompt + answer[:-1]
        # What the last question began with is in the cache already; prompts of one task share their first half.
        kept = min(_shared(self._llama.input_ids[: self._llama.n_tokens], wanted), len(prompt) - 1)
        self._llama.n_tokens = kept
        self._llama.eval(wanted[kept:])
        scores: Any = self._llama.scores
        found: list[int] = np.argmax(scores[len(prompt) - 1 : len(prompt) - 1 + len(answer)], axis=-1).tolist()
        return found

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


def quantise(source: Path, target: Path, variant: str) -> bool:
    """Write a quantised copy.

    Args:
        variant: "q8_0" or "q4_k_m". llama.cpp chooses another type for tensors whose rows its blocks don't divide:
            `gguf_writer.tensor_types` tells what each became.

    Returns:
        Whether llama.cpp could; what hindered it is on standard error.
    """
    import llama_cpp

    kinds = {"q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "q4_k_m": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M}
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = kinds[variant], thread_count()
    failed: int = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    return failed == 0
