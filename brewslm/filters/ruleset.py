"""The rules that a preset turns on, cheap ones first."""

from collections.abc import Iterator

from brewslm.filters import repetition, rules
from brewslm.filters.base import Filter
from brewslm.filters.preset import RulesPreset


def ruleset(preset: RulesPreset) -> tuple[Filter, ...]:
    """Its rules, in the order in which they are asked."""
    return (*_of_words(preset), *_of_lines(preset), *_of_repetition(preset))


def _of_words(preset: RulesPreset) -> Iterator[Filter]:
    if preset.minimum_words is not None:
        yield rules.EnoughWords(preset.minimum_words)
    if preset.maximum_words is not None:
        yield rules.NotTooManyWords(preset.maximum_words)
    if preset.word_length is not None:
        yield rules.WordLength(*preset.word_length)
    if preset.symbols is not None:
        yield rules.FewSymbols(preset.symbols)
    if preset.alphabetic_words is not None:
        yield rules.AlphabeticWords(preset.alphabetic_words)
    if preset.stop_words is not None:
        yield rules.StopWords(preset.stop_words)


def _of_lines(preset: RulesPreset) -> Iterator[Filter]:
    if preset.lorem_ipsum:
        yield rules.NoLoremIpsum()
    if preset.curly_braces:
        yield rules.NoCurlyBraces()
    if preset.bullet_lines is not None:
        yield rules.FewBulletLines(preset.bullet_lines)
    if preset.ellipsis_lines is not None:
        yield rules.FewEllipsisLines(preset.ellipsis_lines)
    if preset.sentences is not None:
        yield rules.Sentences(preset.sentences)


def _of_repetition(preset: RulesPreset) -> Iterator[Filter]:
    if preset.duplicate_lines is not None:
        yield repetition.FewDuplicateLines(preset.duplicate_lines)
    if preset.duplicate_paragraphs is not None:
        yield repetition.FewDuplicateParagraphs(preset.duplicate_paragraphs)
    if preset.top_phrases:
        yield repetition.NoTopPhrase(preset.top_phrases)
    if preset.duplicate_passages:
        yield repetition.FewDuplicatePassages(preset.duplicate_passages)
