"""Recordings, decoded by libsndfile within limits."""

import io
from math import gcd
from typing import TYPE_CHECKING, Any

from brewslm.media.facts import Unusable
from brewslm.rows.reasons import RowReason
from brewslm.settings import settings

if TYPE_CHECKING:
    import numpy as np

    Samples = np.ndarray[Any, Any]

LEAST_RATE, MOST_RATE = 4_000, 192_000
"""Samples a second."""
MOST_CHANNELS = 16
_LAST_PAGE = 4


def read_clip(content: bytes, name: str, rate: int | None = None) -> tuple["Samples", int]:
    """A recording as one channel of 32-bit floats, and its samples a second.

    Args:
        name: Its format, one of FORMATS["audio"].
        rate: Resample to so many samples a second.

    Raises:
        Unusable(MEDIA_CORRUPT): It is broken, cut off, empty, or holds what is no number. (An MP3 file does not say how long
            it should be: one that is cut off between two frames can't be told from a whole one.)
        Unusable(MEDIA_FORMAT): It has a rate or a number of channels that no speech has.
        Unusable(MEDIA_TOO_LARGE): It lasts longer than BREWSLM_MEDIA_SECONDS.
    """
    import numpy as np
    import soundfile

    _check_whole(content, name)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _check_header(file)
            room = round(settings().media_seconds * file.samplerate) + 1
            samples, found = file.read(room, dtype="float32", always_2d=True), file.samplerate
            expected = file.frames
    except (soundfile.LibsndfileError, RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise Unusable(RowReason.MEDIA_CORRUPT, f"it can't be decoded: {error}"[:200]) from None
    if len(samples) == room:
        raise Unusable(RowReason.MEDIA_TOO_LARGE, f"it lasts over {settings().media_seconds:,} s")
    if not len(samples):
        raise Unusable(RowReason.MEDIA_CORRUPT, "it holds no sound")
    if name in ("wav", "flac") and len(samples) < expected:
        raise Unusable(RowReason.MEDIA_CORRUPT, f"it is cut off: {len(samples):,} of {expected:,} samples")
    mono = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    if not np.isfinite(mono).all():
        raise Unusable(RowReason.MEDIA_CORRUPT, "a sample of it is no number")
    return (_resampled(mono, found, rate), rate) if rate and rate != found else (mono, found)


def clip_facts(content: bytes, name: str) -> dict[str, Any]:
    """Its length in seconds, and its samples a second.

    Raises:
        Unusable: As `read_clip`.
    """
    samples, rate = read_clip(content, name)
    return {"seconds": round(len(samples) / rate, 3), "sample_rate": rate}


def _check_header(file: Any) -> None:
    if not LEAST_RATE <= file.samplerate <= MOST_RATE:
        raise Unusable(RowReason.MEDIA_FORMAT, f"it has {file.samplerate:,} samples a second")
    if file.channels > MOST_CHANNELS:
        raise Unusable(RowReason.MEDIA_FORMAT, f"it has {file.channels} channels")


def _check_whole(content: bytes, name: str) -> None:
    """What libsndfile takes for whole although its end is missing."""
    if name == "wav":
        declared = int.from_bytes(content[4:8], "little") + 8
        if len(content) < declared < 0xFFFFFFFF:  # a stream's header may say "as long as can be"
            raise Unusable(RowReason.MEDIA_CORRUPT, f"it is cut off: {len(content):,} of {declared:,} bytes")
    if name == "ogg":
        page = content.rfind(b"OggS")
        if not content[page + 5 : page + 6] or not content[page + 5] & _LAST_PAGE:
            raise Unusable(RowReason.MEDIA_CORRUPT, "it is cut off: its last page is missing")


def _resampled(samples: "Samples", found: int, rate: int) -> "Samples":
    import numpy as np
    from scipy.signal import resample_poly

    common = gcd(found, rate)
    made: Samples = resample_poly(samples, rate // common, found // common).astype(np.float32)
    return made
