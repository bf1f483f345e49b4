"""Telephone numbers: with a country code, as their region writes them, or bare after a word that says what they are.

A candidate is a run of digit groups. Its shape is looked at first; only what could be a number is given to libphonenumber
(`phonenumbers`), which is slow.
"""

import re
from collections.abc import Iterator
from functools import cache

from brewslm.filters.pii.base import Detector, Span, Text
from brewslm.filters.pii.context import after, before, is_something_else, words

_RUN = re.compile(r"(?:\+ ?\(?|\()?[0-9]{1,15}(?<![^\W_]\()(?:(?:\) ?-? ?|[ .\n]?\( ?|[ \n./-]| [/-] )[0-9]{1,13}){0,8}")
_GROUP = re.compile(r"[0-9]+")
_EXTENSION = re.compile(r"(?: ?(?:x|ext\.?|extension|durchwahl|poste|int\.)) ?[0-9]{1,6}(?!\w)", re.IGNORECASE)
_DATE = re.compile(r"\(?(?:[0-9]{4}[-./ ][0-9]{1,2}[-./ ][0-9]{1,2}|[0-9]{1,2}([-./])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2}))(?![0-9]|[-./][0-9])")
_WORDS = words(
    "tel(?:[.:]|\\b)", "phone", "telephon", "call(?!ed)", "mobile", "cell(?:\\b|phone)", "fax", "whatsapp", "sms", "text me", "dial", "ring\\b",
    "hotline", "reach(?:able|ed)?\\b", "telefon", "handy", "mobil", "anruf", "rufnummer", "ruf\\b", "erreich", "durchwahl",
    "t[ée]l[ée]ph", "t[ée]l\\b", "portable", "appel", "joindre", "tel[ée]fono", "m[óo]vil", "llam", "tfno", "cellulare", "chiam", "telefoon", "bel\\b",
)  # fmt: skip
_MONEY = re.compile(r"[ ]?(?:[€$£¥%]|EUR|USD|GBP|,[0-9]|(?:Euro|Dollar|Stück|pieces|unités|unidades|pezzi|ms|kg|km|MB|GB)\b)")
_MONEY_BEFORE = re.compile(r"(?:[€$£¥#]|EUR|USD|GBP|CHF)[ ]?\Z")
_PLAIN_SHAPES = frozenset(
    [
        *((3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2), (2, 3, 4), (3, 6), (2, 7)),  # Spain, Poland, Portugal …
        *((3, 7), (3, 3, 4), (3, 6), (3, 2, 2, 3), (5, 5)),  # Italy's mobiles, India
        *((2, 2, 2, 2), (4, 4)),  # Denmark, Norway, Singapore
    ]
)


class Phone(Detector):
    """A telephone number.

    Args:
        regions: Countries whose numbers are read without a country code, such as ("US", "DE").
    """

    type = "phone"

    def __init__(self, regions: tuple[str, ...]) -> None:
        self.regions = regions
        self.trunk = tuple(region for region in regions if _trunk(region) == "0")
        self.bare = tuple(region for region in regions if _trunk(region) != "0" or region == "IN")

    def spans(self, text: Text) -> Iterator[Span]:
        """The number with its plus, brackets and extension."""
        for run in text.matches(_RUN):
            start = run.start()
            if start and (text.plain[start - 1].isalnum() or text.plain[start - 1] in "_$€£#"):
                if _WORDS.search(before(text.plain, start, 8)) is None:
                    continue
            if start > 1 and text.plain[start - 1] in ".,-:/" and text.plain[start - 2].isdigit():
                continue
            groups = [match.span() for match in _GROUP.finditer(text.plain, start, run.end())]
            yield from self._numbers(text.plain, start, groups)

    def _numbers(self, plain: str, start: int, groups: list[Span]) -> Iterator[Span]:
        """The numbers of a run: the longest from each group on; a group belongs to one number."""
        first = 0
        while first < len(groups):
            begin = start if first == 0 else _opened(plain, groups[first][0])
            last = self._last(plain, begin, groups[first : first + 8])
            if last is None or (first and _continues(plain, groups, first, first + last)):
                first += 1
                continue
            end = groups[first + last][1]
            extension = _EXTENSION.match(plain, end)
            yield begin, extension.end() if extension else end
            first += last + 1

    def _last(self, plain: str, begin: int, groups: list[Span]) -> int | None:
        """Which of the groups ends a number that begins at `begin`."""
        counts = [end - start for start, end in groups]
        for sure in (True, False):
            for last in range(len(groups) - 1, -1, -1):
                end = groups[last][1]
                digits = sum(counts[: last + 1])
                if 7 <= digits <= 17 and not _glued(plain, end) and self._is(plain, begin, end, tuple(counts[: last + 1]), sure):
                    return last
        return None

    def _is(self, plain: str, begin: int, end: int, shape: tuple[int, ...], sure: bool) -> bool:
        value = plain[begin:end].replace("\n", " ")
        head = value.lstrip("( ")
        if _DATE.match(value):
            return False
        if value.startswith("+"):
            return _holds(value, "", sure)
        if head.startswith("00") and sum(shape) >= 10:
            return _holds("+" + head[2:].lstrip(" -.)"), "", sure)
        if "\n" in plain[begin:end] or is_something_else(plain, begin):
            return False
        if _MONEY.match(plain, end) or _MONEY_BEFORE.search(before(plain, begin, 6)):
            return False
        return self._national(plain, begin, end, value, shape, sure)

    def _national(self, plain: str, begin: int, end: int, value: str, shape: tuple[int, ...], sure: bool) -> bool:
        head = value.lstrip("( ")
        if _is_nanp(value, shape) and ("US" in self.regions or "CA" in self.regions):
            return True
        if head.startswith("0") and not head.startswith("00") and 9 <= sum(shape) <= 12 and shape[0] != 1 and _is_even(value):
            if any(_holds(value, region, sure) for region in self.trunk):
                return True
        if sure and shape in _PLAIN_SHAPES and len(set(re.sub(r"[0-9()]", "", value))) == 1 and head[0] != "0":
            if any(_holds(value, region, True) for region in self.bare):
                return True
        announced = _WORDS.search(before(plain, begin)) or _WORDS.search(after(plain, end, 20))
        return bool(announced) and 9 <= sum(shape) <= 13 and (not sure or any(_holds(value, one, True) for one in self.regions))


def _continues(plain: str, groups: list[Span], first: int, last: int) -> bool:
    """Whether the groups go on from one before them, as the last twelve digits of a card do."""
    joint = plain[groups[first - 1][1] : groups[first][0]]
    inside = {plain[groups[one][1] : groups[one + 1][0]] for one in range(first, last)}
    return joint in inside and _WORDS.search(before(plain, groups[first][0])) is None


def _opened(plain: str, start: int) -> int:
    """The bracket or plus that belongs to the number too."""
    while start and plain[start - 1] in "(+":
        start -= 1
    return start


def _glued(plain: str, end: int) -> bool:
    """Whether the digits run on into a word, a decimal or a longer code."""
    after_it = plain[end : end + 2]
    if after_it[:1].lower() in ("x", "e") and _EXTENSION.match(plain, end):
        return False
    return after_it[:1].isalnum() or after_it[:1] in ("_", "@") or (after_it[:1] in (",", ".", "-", "/", ":") and after_it[1:].isdigit() and after_it[:1] != ",")


def _is_nanp(value: str, shape: tuple[int, ...]) -> bool:
    """(212) 555-0198 and its like: three, three, four, perhaps after a 1; North America's plan gives no code a 0 or 1 in front."""
    if shape[0] == 1 and value.lstrip("(")[0] == "1":
        value, shape = value[1:].lstrip(" -."), shape[1:]
    if shape != (3, 3, 4):
        return False
    digits = re.sub(r"[^0-9]", "", value)
    return digits[0] in "23456789" and digits[3] in "23456789" and _is_even(value) and " " * 2 not in value


def _is_even(value: str) -> bool:
    """Whether one separator stands between all groups after the first: 01.02.2023 12 has two."""
    marks = re.findall(r"[^0-9]+", value.lstrip("( "))
    return len({one.strip() for one in marks[1:]}) <= 1


def _holds(value: str, region: str, sure: bool) -> bool:
    """Whether the plan of the region, or of the country code, has such a number (or, unsure, one of its length)."""
    from phonenumbers import NumberParseException, is_possible_number, is_valid_number, parse

    try:
        number = parse(value, region or None)
    except NumberParseException:
        return False
    return is_valid_number(number) if sure else is_possible_number(number)


@cache
def _trunk(region: str) -> str:
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata.national_prefix or "") if metadata else ""
