"""Which language a text is in, told offline by py3langid (Lui and Baldwin, 2012)."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from brewslm.filters.base import CleanedText, Filter, Verdict, kept_if
from brewslm.filters.preset import LanguagePreset
from brewslm.rows.reasons import RowReason

UNDETERMINED = "und"
_SLICES = 3


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is in.

    Attributes:
        code: ISO 639, such as "en"; "und" for a text too short to tell.
        probability: 0 to 1, among the 97 languages that the model knows.
    """

    code: str
    probability: float


def language_of(text: str, preset: LanguagePreset) -> Language:
    """The most probable language of a text.

    A long text is judged by its beginning, middle and end: the model reads 3 MB/s, and more characters change nothing.
    """
    sample = _sample(text, preset.sample_characters)
    if sum(map(len, sample.split())) < preset.minimum_characters:
        return Language(UNDETERMINED, 0.0)
    code, probability = _identifier().classify(sample)
    return Language(str(code), float(probability))


class LanguageAllowed(Filter):
    """Turns away a document in a language that is not asked for; one too short to tell is kept.

    Args:
        languages: Codes such as "en"; none means all.
    """

    def __init__(self, languages: Collection[str]) -> None:
        self.languages = frozenset(languages)

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        allowed = not self.languages or document.language in {*self.languages, UNDETERMINED}
        return kept_if(allowed, RowReason.OTHER_LANGUAGE)


def _sample(text: str, characters: int) -> str:
    """The text, or equal parts of its beginning, middle and end."""
    if len(text) <= characters:
        return text
    size = characters // _SLICES
    last = len(text) - size
    return "\n".join(text[last * part // (_SLICES - 1) :][:size] for part in range(_SLICES))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
