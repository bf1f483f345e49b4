"""What is personal only by what is said of it: a date of birth, a passport's number."""

import re
from collections.abc import Iterator
from datetime import date

from brewslm.filters.pii.base import Detector, Span, Text

_MONTH = (
    r"(?:jan|gen|ene|feb|f[ée]v|mar|m[äa]r|mrz|mrt|apr|avr|abr|ma[yi]|mag|mei|jun|juin|giu"
    r"|jul|juil|lug|aug|ago|ao[uû]|sep|set|o[ck]t|ott|nov|d[eéi][cz])[^\W\d_]{0,8}\.?"
)
_DATE = (
    r"(?P<date>[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./](?:[0-9]{4}|[0-9]{2})"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|º|\.)?(?: of| de)? {_MONTH},?(?: de| del)? [0-9]{{4}}"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}})(?![0-9])"
)
_BORN = re.compile(
    r"(?:(?<![^\W_])(?:born|dob(?![^\W_])|d\.o\.b|geb\.|geboren|geburts|geboorte|née?(?!\w)|nac(?:ido|ida|imiento)|nat[oa](?!\w))"
    r"|birth|naissance|nascita)"
    rf"[^0-9\[\]\n;]{{0,40}}\n?(?<![0-9]){_DATE}",
    re.IGNORECASE,
)
_BORN_STEMS = ("born", "dob", "d.o.b", "geb", "né", "nac", "nat", "birth", "nais", "nasc")
_NUMBER = (
    r"(?P<number>[A-Z]{0,3} ?[0-9][0-9A-Z]{4,9}|[0-9]{2} ?[A-Z]{2} ?[0-9]{5}"
    r"|[A-Z]{2}[0-9A-Z]{6}[0-9]|[A-Z][0-9A-Z]{3}[0-9]{5})(?![\w]|-[0-9])"
)
_PASSPORT = re.compile(
    r"(?i:(?<![^\W_])(?:passports?|reisepass|pass|passeport|pasaporte|passaporto|paspoort|passaporte)"
    r"(?:-?(?:nr|nummer|no)\b\.?)?(?![^\W_])"
    r"(?:[\s:#.=\"'|ºn°-]|(?:number|nummer|num[ée]ro|n[úu]mero|num|no|nr|is|ist|est|es|è|copy|card|id|of|de)\b){0,12})"
    rf"(?<!\w){_NUMBER}"
)


class DateOfBirth(Detector):
    """A date that a word such as *born*, *DOB*, *geboren* or *naissance* announces; the date alone is the finding."""

    type = "date_of_birth"

    def spans(self, text: Text) -> Iterator[Span]:
        """The date."""
        for start, end in _with_a_word(text, _BORN_STEMS):
            for match in _BORN.finditer(text.plain, start, end):
                if _could_be(match["date"]):
                    yield match.span("date")


def _with_a_word(text: Text, stems: tuple[str, ...]) -> Iterator[Span]:
    """The numbers that one of the stems announces, perhaps; to look for a stem is much faster than to try the pattern."""
    for start, end in text.announced:
        if any(text.low.find(stem, start, end) >= 0 for stem in stems):
            yield start, end


def _could_be(value: str) -> bool:
    """Whether some order of its numbers is a day since 1900 and before today."""
    numbers = [int(one) for one in re.findall(r"[0-9]+", value)]
    if len(numbers) == 2:  # the month is a word
        return 1 <= min(numbers) <= 31 and 1900 <= max(numbers) <= date.today().year
    first, second, third = numbers
    if first > 31:
        first, third = third, first
    year = third if third > 99 else 1900 + third
    return 1900 <= year <= date.today().year and 1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31


class Passport(Detector):
    """A number after the word for a passport: five digits or more among six to eleven characters, as the countries print them."""

    type = "passport"

    def spans(self, text: Text) -> Iterator[Span]:
        """The number."""
        for start, end in _with_a_word(text, ("pass", "pasap", "pasp")):
            for match in _PASSPORT.finditer(text.plain, start, end):
                if sum(one.isdigit() for one in match["number"]) >= 5:
                    yield match.span("number")
