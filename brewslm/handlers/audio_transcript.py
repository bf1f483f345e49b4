"""Recordings: what is said in one is written down."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brewslm.handlers.base import Prediction, Scores
from brewslm.handlers.faults import Fault, transcript_faults
from brewslm.handlers.generating import MOST_NAME, GeneratingHandler, said
from brewslm.media import is_media, opened_clip
from brewslm.metrics.figure import share
from brewslm.metrics.speech import character_errors, error_rate, word_errors
from brewslm.models.prompt import Prompt
from brewslm.models.spelling import plain_words
from brewslm.rows import RowReason
from brewslm.rows.manifest import PreparedRow

if TYPE_CHECKING:
    import numpy as np

    Spectrum = np.ndarray[Any, Any]

RATE, WINDOW, BANDS = 8_000, 256, 32
"""Of the spectra that recordings are compared by: samples a second, samples of a window, bands."""


class AudioTranscriptHandler(GeneratingHandler):
    """Transcripts are compared as they sound: without capitals and punctuation."""

    profile = "audio_transcript"
    scoring_mode = "text"
    input_field = "audio"
    media = "audio"
    architectures = frozenset({"ctc", "speech_encoder_decoder"})
    primary_metric = "wer"
    lower_is_better = True
    metric_ids = frozenset({"wer", "cer", "exact_match"})
    baseline_ids = frozenset({"majority_transcript", "nearest_recording"})
    max_new_tokens = 224

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """A row needs a recording that was kept, and a word that is said in it."""
        audio, transcript = payload.get("audio"), payload.get("transcript")
        if not is_media(audio) or not isinstance(audio, dict) or "seconds" not in audio:
            return RowReason.MEDIA_MISSING
        return None if isinstance(transcript, str) and plain_words(transcript) else RowReason.MISSING_TRANSCRIPT

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """The recording alone."""
        return Prompt(({"role": "user", "content": [{"type": "audio", **payload["audio"]}]},), plain="")

    def completion(self, payload: dict[str, Any]) -> str:
        """The transcript."""
        return str(payload["transcript"])

    def question(self, payload: dict[str, Any]) -> str:
        """The recording's file."""
        audio = payload.get("audio")
        return str(audio["path"])[:MOST_NAME] if isinstance(audio, dict) and "path" in audio else ""

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """What happened to the words."""
        said = plain_words(str(prediction.output)).split()
        return transcript_faults(plain_words(self.completion(payload)).split(), said)

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Word and character error rate over all rows, and the share of rows without an error."""
        expected = [plain_words(self.completion(row.payload)) for row in rows]
        answers = [plain_words(str(prediction.output)) for prediction in predictions]
        words = word_errors(expected, answers)
        right = [row.wrong == 0 for row in words]
        figures = {
            "wer": error_rate(words),
            "cer": error_rate(character_errors(expected, answers)),
            "exact_match": share(right),
        }
        return Scores.of(figures, right, {"words": sum(row.units for row in words)})

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`majority_transcript`: the commonest. `nearest_recording`: the transcript of the train recording that sounds likest."""
        import numpy as np

        usual = Counter(self.completion(row.payload) for row in train).most_common(1)[0][0]
        known = np.stack([_spectrum(row.payload["audio"]) for row in train])
        nearest = [int(((known - _spectrum(row.payload["audio"])) ** 2).sum(axis=1).argmin()) for row in rows]
        return {
            "majority_transcript": said(rows, [usual] * len(rows)),
            "nearest_recording": said(rows, [self.completion(train[place].payload) for place in nearest]),
        }


def _spectrum(audio: dict[str, Any]) -> "Spectrum":
    """Mean and spread over time of the logarithm of each band's power, and the length."""
    import numpy as np

    samples = opened_clip(audio, RATE)
    windows = np.resize(samples, (max(1, len(samples) // WINDOW), WINDOW)) * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1))[:, 1:] ** 2
    bands = np.log(power.reshape(len(windows), BANDS, -1).sum(axis=2) + 1e-8)
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0), [np.log(len(samples))]])
