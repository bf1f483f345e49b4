"""What the architectures share that hear: a prompt's recording as the features that a model reads, computed once where memory allows."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from brewslm.media import opened_clip
from brewslm.models.prompt import Prompt, media_of

if TYPE_CHECKING:
    import numpy as np

    Features = np.ndarray[Any, Any]

KEPT_BYTES = 512 * 1024**2
TOO_LONG = 1 << 30
"""Positions of a recording that does not fit into the model: no row may have so many."""


def clip_of(prompt: Prompt) -> dict[str, Any]:
    """The one recording that a prompt asks to be written down."""
    (clip,) = media_of(prompt, "audio")
    return clip


class Hearing:
    """Features of recordings, by a feature extractor of transformers; the last half gigabyte of them is kept.

    Args:
        extractor: It takes one channel of floats at its own sampling rate.
        name: Of what it gives, such as "input_features".
    """

    def __init__(self, extractor: Any, name: str) -> None:
        self._extractor, self._name = extractor, name
        self._kept: OrderedDict[str, Features] = OrderedDict()
        self._size = 0

    @property
    def rate(self) -> int:
        """Samples a second that it takes."""
        return int(self._extractor.sampling_rate)

    def of(self, clip: dict[str, Any]) -> "Features":
        """Of one recording: (positions,) or (positions, bands), or as Whisper has it (bands, positions).

        Raises:
            MediaChanged, Unusable: See media.opened_clip.
        """
        key = clip.get("sha256") or clip["path"]
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        samples = opened_clip(clip, self.rate)
        made: Features = self._extractor(samples, sampling_rate=self.rate, return_tensors="np")[self._name][0]
        self._kept[key] = made
        self._size += made.nbytes
        while self._size > KEPT_BYTES:
            self._size -= self._kept.popitem(last=False)[1].nbytes
        return made
