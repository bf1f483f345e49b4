"""Telephone numbers: with a country code, as their region writes them, or bare after a word that says what they are.

A run of digit groups is read from left to right; the longest number from each group on is a finding. Its shape is looked at
first, then the countries' plans, and the words around it last.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from brewslm.filters.pii.base import Detector, Span, Text
from brewslm.filters.pii.context import after, before, is_something_else, words
from brewslm.filters.pii.plans import holds_international, plan

_RUN = re.compile(r"(?:\+ ?\(?|\()?[0-9]{1,15}(?:(?:\) ?-? ?|[ .\n]?\( ?|[ \n./-]| [/-] )[0-9]{1,13}){0,8}")
_GROUP = re.compile(r"[0-9]+")
_EXTENSION = re.compile(r" ?(?:x|ext\.?|extension|durchwahl|poste|int\.) ?[0-9]{1,6}(?!\w)", re.IGNORECASE)
_DATE = re.compile(
    r"\(?(?:[0-9]{4}[-./ ][0-9]{1,2}[-./ ][0-9]{1,2}|[0-9]{1,2}([-./])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2}))(?![0-9]|[-./][0-9])"
)
_WORDS = words(
    "tel(?:[.:]|\\b)", "phone", "telephon", "call(?!ed)", "mobile", "cell(?:\\b|phone)", "fax", "whatsapp",
    "sms", "text me", "dial", "ring\\b", "hotline", "reach(?:able|ed)?\\b", "telefon", "handy", "mobil",
    "anruf", "rufnummer", "ruf\\b", "erreich", "durchwahl", "t[ée]l[ée]ph", "t[ée]l\\b", "portable", "appel",
    "joindre", "tel[ée]fono", "m[óo]vil", "llam", "tfno", "cellulare", "chiam", "telefoon", "bel\\b",
)  # fmt: skip
_MONEY = re.compile(
    r" ?(?:[€$£¥%]|EUR|USD|GBP|,[0-9]|(?:Euro|Dollar|Stück|pieces|units|unités|unidades|pezzi|ms|kg|km|MB|GB|bytes)\b)"
)
_MONEY_BEFORE = re.compile(r"(?:[€$£¥#]|EUR|USD|GBP|CHF) ?\Z")
_GROUPINGS = frozenset(
    [
        *((3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2), (2, 3, 4), (3, 6), (2, 7)),  # Spain, Poland, Portugal
        *((3, 7), (3, 3, 4), (3, 2, 2, 3), (5, 5)),  # Italy's mobiles, India
        *((2, 2, 2, 2), (4, 4)),  # Denmark, Norway, Singapore
    ]
)
"""How numbers without a trunk prefix are grouped: in any other way they are just numbers."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Some groups of a run, and what they are like."""

    plain: str
    start: int
    end: int
    shape: tuple[int, ...]

    @property
    def value(self) -> str:
        return self.plain[self.start : self.end]

    @property
    def digits(self) -> str:
        return "".join(_GROUP.findall(self.value))

    @property
    def even(self) -> bool:
        """Whether one separator stands between all groups after the first: 01.02.2023 12 has two."""
        return len({one.strip() for one in re.findall(r"[^0-9]+", self.value.lstrip("( "))[1:]}) <= 1


class Phone(Detector):
    """A telephone number.

    Args:
        regions: Countries whose numbers are read without a country code, such as ("US", "DE").
    """

    type: ClassVar[str] = "phone"

    def __init__(self, regions: tuple[str, ...]) -> None:
        known = {region: found for region in regions if (found := plan(region))}
        self.plans = tuple(known.values())
        self.nanp = any(one.trunk == "1" for one in self.plans)
        self.trunk = tuple(one for region, one in known.items() if one.trunk == "0" or region == "IT")
        self.bare = tuple(one for region, one in known.items() if one.trunk != "0" or region == "IN")

    def spans(self, text: Text) -> Iterator[Span]:
        """The number with its plus, brackets and extension."""
        for run in text.matches(_RUN):
            if _begins(text.plain, run.start()):
                groups = [match.span() for match in _GROUP.finditer(text.plain, run.start(), run.end())]
                yield from self._numbers(text.plain, run.start(), groups)

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
        """Which of the groups ends a number that begins at `begin`: one that is surely given out before one that could be."""
        international = plain[begin] == "+" or plain.startswith("00", groups[0][0])
        shape: tuple[int, ...] = ()
        candidates: list[_Candidate] = []
        for start, end in groups if international else groups[:5]:
            shape += (end - start,)
            if (8 if international or len(shape) == 4 or shape == (4, 4) else 9) <= sum(shape) <= 17 and not _glued(plain, end):
                candidates.append(_Candidate(plain, begin, end, shape))
        for sure in (True, False):
            for one in reversed(candidates):
                if self._is_international(one, sure) if international else self._is_national(one, sure):
                    return len(one.shape) - 1
        return None

    def _is_international(self, one: _Candidate, sure: bool) -> bool:
        digits = one.digits if one.plain[one.start] == "+" else one.digits[2:]
        # Two zeros announce less than a plus: such a number is in its groups, or surely given out.
        return (
            len(digits) >= 8
            and (sure or one.plain[one.start] == "+" or len(one.shape) >= 4)
            and holds_international(digits, sure)
        )

    def _is_national(self, one: _Candidate, sure: bool) -> bool:
        if sum(one.shape) > 13 or "\n" in one.value or _DATE.match(one.value):
            return False
        if self._has_its_shape(one, sure):
            return not is_something_else(one.plain, one.start) and not _is_money(one)
        return sum(one.shape) >= 9 and _is_announced(one) and (not sure or self._reads(one.digits))

    def _has_its_shape(self, one: _Candidate, sure: bool) -> bool:
        """Whether it is written as a number of a region is: no word is needed then."""
        if self.nanp and _is_nanp(one):
            return True
        digits = one.digits
        if digits[0] == "0":
            is_code = one.shape == (3, 2, 4) and "-" in one.value  # a social security number's shape
            trunk = 9 <= len(digits) <= 12 and one.shape[0] != 1 and one.even and not is_code
            return trunk and any(plan.reads(digits, sure) for plan in self.trunk)
        marks = set(re.sub(r"[0-9]", "", one.value.replace(") ", " ").replace("(", "")))
        return sure and one.shape in _GROUPINGS and len(marks) == 1 and any(plan.holds(digits, True) for plan in self.bare)

    def _reads(self, digits: str) -> bool:
        return any(plan.reads(digits, True) or plan.holds(digits, True) for plan in self.plans)


def _begins(plain: str, start: int) -> bool:
    """Whether a number may begin here: not in a word, a sum, a decimal or a longer code."""
    left = plain[max(0, start - 2) : start]
    if left[-1:].isalnum() or left[-1:] in ("_", "$", "€", "£", "#"):
        return _WORDS.search(before(plain, start, 8)) is not None
    return not (left[-1:] in (".", ",", "-", ":", "/") and left[:1].isdigit() and len(left) == 2 and left[-1:] != ",")


def _opened(plain: str, start: int) -> int:
    """The bracket or plus that belongs to the number too."""
    while start and plain[start - 1] in "(+":
        start -= 1
    return start


def _continues(plain: str, groups: list[Span], first: int, last: int) -> bool:
    """Whether the groups go on from one before them, as the last twelve digits of a card do."""
    joint = plain[groups[first - 1][1] : groups[first][0]]
    if "+" in joint or "(" in joint:
        return False
    inside = {plain[groups[one][1] : groups[one + 1][0]] for one in range(first, last)}
    return joint.strip() != "" or (joint in inside and _WORDS.search(before(plain, groups[first][0])) is None)


def _glued(plain: str, end: int) -> bool:
    """Whether the digits run on into a word, a decimal or a longer code."""
    following = plain[end : end + 2]
    if following[:1].isalnum():
        return _EXTENSION.match(plain, end) is None
    return following[:1] in ("_", "@") or (following[:1] in (".", "-", "/", ":") and following[1:].isdigit())


def _is_money(one: _Candidate) -> bool:
    return bool(_MONEY.match(one.plain, one.end) or _MONEY_BEFORE.search(before(one.plain, one.start, 6)))


def _is_announced(one: _Candidate) -> bool:
    if is_something_else(one.plain, one.start) or _is_money(one):
        return False
    return bool(_WORDS.search(before(one.plain, one.start)) or _WORDS.search(after(one.plain, one.end, 20)))


def _is_nanp(one: _Candidate) -> bool:
    """(212) 555-0198 and its like: three, three, four, perhaps after a 1; no code begins with 0 or 1 (NANPA)."""
    digits, shape = one.digits, one.shape
    if shape[0] == 1 and digits[0] == "1":
        digits, shape = digits[1:], shape[1:]
    return shape == (3, 3, 4) and digits[0] in "23456789" and digits[3] in "23456789" and one.even
