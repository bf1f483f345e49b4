"""Documents as the filters see them."""

from brewslm.filters.base import CleanedText
from brewslm.filters.quality import quality
from brewslm.filters.words import WordStatistics


def document(text: str, language: str = "en") -> CleanedText:
    words = WordStatistics(text)
    return CleanedText(text, (), quality(words), words, language)
