"""Error rates of transcripts, by jiwer: of words (WER) and of characters (CER)."""

from collections.abc import Sequence
from typing import NamedTuple

from brewslm.metrics.figure import Figure, ratio


class Errors(NamedTuple):
    """What was wrong with one transcript: substituted, left out and put in, and how many units the right one has."""

    wrong: int
    units: int


def word_errors(expected: Sequence[str], predicted: Sequence[str]) -> list[Errors]:
    """Of each row, in words. The texts are compared as they are; every right one has a word."""
    import jiwer

    return [_counted(jiwer.process_words(wanted, said)) for wanted, said in zip(expected, predicted, strict=True)]


def character_errors(expected: Sequence[str], predicted: Sequence[str]) -> list[Errors]:
    """Of each row, in characters, the spaces between words among them."""
    import jiwer

    return [_counted(jiwer.process_characters(wanted, said)) for wanted, said in zip(expected, predicted, strict=True)]


def _counted(found: object) -> Errors:
    wrong = sum(int(getattr(found, kind)) for kind in ("substitutions", "deletions", "insertions"))
    return Errors(wrong, sum(int(getattr(found, kind)) for kind in ("hits", "substitutions", "deletions")))


def error_rate(rows: Sequence[Errors]) -> Figure:
    """Wrong units over all units. It can be over 1."""
    return ratio([row.wrong for row in rows], [row.units for row in rows])
