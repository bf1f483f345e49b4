"""How fast a model reads and writes, and the memory that it takes: in a process of its own, so that the figures are its alone.

`python -m brewslm.models.pace <file.gguf or folder> <json of {"prompt": ids, "tokens": n, "precision": "fp32"}>` prints a `Pace`
as JSON.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.models.loading import Precision, load_model, set_threads, thread_count, yield_when_waiting
from brewslm.models.memory import peak_resident_bytes

REPEATS = 3
TOKENS = 32
LAST_WORDS = 200


class PaceFailed(Exception):
    """The process that measured ended badly; its last words are the message."""


class Pace(BaseModel):
    """One model on this machine, one request at a time; medians of `REPEATS`.

    Attributes:
        reads_per_second: Tokens of the prompt.
        writes_per_second: Tokens of the answer.
        peak_memory_bytes: The most that its process held, with its runtime.
        prompt_tokens, tokens: That were read and written each time.
    """

    model_config = ConfigDict(frozen=True)

    reads_per_second: float
    writes_per_second: float
    peak_memory_bytes: int
    prompt_tokens: int
    tokens: int


def pace_of(model: Path, prompt: list[int], tokens: int = TOKENS, precision: Precision = "fp32") -> Pace:
    """Measure a GGUF file, or a folder of transformers.

    Args:
        precision: In which a folder is served; a GGUF file has its own.

    Raises:
        PaceFailed: It could not be loaded or run.
    """
    asked = orjson.dumps({"prompt": prompt, "tokens": tokens, "precision": precision}).decode()
    done = subprocess.run(
        [sys.executable, "-m", "brewslm.models.pace", str(model), asked], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PaceFailed((done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1][:LAST_WORDS])
    return Pace.model_validate_json(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, and print."""
    model, asked = Path(sys.argv[1]), orjson.loads(sys.argv[2])
    prompt, tokens = asked["prompt"], asked["tokens"]
    yield_when_waiting()
    read, write = _gguf(model, len(prompt) + tokens) if model.suffix == ".gguf" else _folder(model, asked["precision"])
    reads, writes = [], []
    for _ in range(REPEATS + 1):  # the first warms caches, and is not counted
        began = time.perf_counter()
        read(prompt)
        read_by = time.perf_counter()
        for _ in range(tokens):
            write(prompt[-1])
        reads.append(len(prompt) / (read_by - began))
        writes.append(tokens / (time.perf_counter() - read_by))
    made = Pace(
        reads_per_second=round(median(reads[1:]), 1), writes_per_second=round(median(writes[1:]), 1),
        peak_memory_bytes=peak_resident_bytes(), prompt_tokens=len(prompt), tokens=tokens,
    )  # fmt: skip
    print(made.model_dump_json())


_Opened = tuple[Callable[[list[int]], None], Callable[[int], None]]
"""What reads a prompt from its beginning, and what reads one token after it: to write a token, a model reads the one before."""


def _gguf(file: Path, context: int) -> _Opened:
    import llama_cpp

    model = llama_cpp.Llama(
        str(file), n_ctx=context, n_batch=context, n_threads=thread_count(), n_threads_batch=thread_count(), n_gpu_layers=0,
        verbose=False,
    )  # fmt: skip

    def read(prompt: list[int]) -> None:
        model.reset()
        model.eval(prompt)

    return read, lambda token: model.eval([token])


def _folder(folder: Path, precision: Precision) -> _Opened:
    import torch

    set_threads()
    model = load_model(folder, precision=precision)
    cache: list[Any] = []

    def read(prompt: list[int]) -> None:
        with torch.inference_mode():
            cache[:] = [model(input_ids=torch.tensor([prompt]), use_cache=True, logits_to_keep=1).past_key_values]

    def write(token: int) -> None:
        with torch.inference_mode():
            model(input_ids=torch.tensor([[token]]), past_key_values=cache[0], use_cache=True, logits_to_keep=1)

    return read, write


if __name__ == "__main__":
    main()
