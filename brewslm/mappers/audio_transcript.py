"""A recording and what is said in it, for `audio_transcript`."""

from typing import Any, ClassVar

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.files import file_named
from brewslm.media import MediaKind
from brewslm.rows import RowReason


class AudioTranscript(Mapper):
    """Audio and transcript columns → {audio, transcript}."""

    id = "audio_transcript"
    task_profile = "audio_transcript"
    meaning = "A recording's path, and its transcript."
    media: ClassVar[dict[str, MediaKind]] = {"audio": "audio"}
    fields = {
        "audio": Field(("audio", "audio_path", "audio_filepath", "path", "file", "wav", "clip"), "Its path, or a data: address."),
        "transcript": Field(("transcript", "transcription", "sentence", "text", "normalized_text"), "What is said in it."),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The recording first, then its transcript."""
        audio = file_named(self.value(values, "audio"), RowReason.MISSING_AUDIO)
        if isinstance(audio, Refused):
            return audio
        text = self.text(values, "transcript", RowReason.MISSING_TRANSCRIPT, RowReason.MISSING_TRANSCRIPT)
        return text if isinstance(text, Refused) else {"audio": audio, "transcript": text}
