"""Questions about handwritten digits for VisionLanguageHandler: scikit-learn's 1,797 pictures, each asked in three forms.

Held out by picture: `prepare` keeps all questions about one on the same side, and no picture of eval is seen in training.
"""

from collections.abc import Callable
from pathlib import Path

import orjson

FORMS: dict[str, Callable[[int], str]] = {
    "Which digit is it?": str,
    "Is it even?": lambda digit: "no" if digit % 2 else "yes",
    "Is it larger than 5?": lambda digit: "yes" if digit > 5 else "no",
}
SIDE = 64
BASE_MODEL = "made:vision-small"
MAPPER, MAPPED = "image_text", {"image": "image", "text": "answer", "prompt": "question"}
PREPARE = ("--eval-rows", "900", "--dev-rows", "150")
SETTINGS: dict[str, str] = {}


def rows(folder: Path) -> Path:
    """Write PNG files and `rows.jsonl` of image, question and answer; returns its path."""
    from sklearn.datasets import load_digits

    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    lines = []
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target.tolist(), strict=True)):
        _draw(folder / f"{number:04}.png", pixels)
        lines += [{"image": f"{number:04}.png", "question": form, "answer": answer(digit)} for form, answer in FORMS.items()]
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    return path


def _draw(file: Path, pixels: "object") -> None:
    import numpy as np
    from PIL import Image

    dark = (255 - np.asarray(pixels) * 255 / 16).astype(np.uint8)
    Image.fromarray(dark).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file)
