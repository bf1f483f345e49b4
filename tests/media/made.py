"""Small pictures and recordings, made on the spot."""

import io
from typing import Any

import numpy as np


def picture(seed: int = 0, name: str = "PNG", size: tuple[int, int] = (12, 8)) -> bytes:
    """Noise, in the format that Pillow calls so."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, name)
    return written.getvalue()


def tone(hertz: float = 440.0, seconds: float = 0.2, rate: int = 8000, **how: Any) -> bytes:
    """One tone; `how` as of soundfile.write, WAV in 16 bits where it says nothing."""
    import soundfile

    at = np.arange(round(seconds * rate)) / rate
    written = io.BytesIO()
    soundfile.write(written, 0.3 * np.sin(2 * np.pi * hertz * at), rate, **({"format": "WAV", "subtype": "PCM_16"} | how))
    return written.getvalue()
