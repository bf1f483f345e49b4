"""Addresses of machines."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from brewslm.filters.pii.base import Detector, Span, Text
from brewslm.filters.pii.context import before

_V4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_HEX = tuple(
    re.compile(one) for one in (r":[0-9A-Fa-f]{0,4}:", r"-[0-9A-Fa-f]{2}-", r"\.[0-9A-Fa-f]{4}\.")
)  # each begins with a letter: fast
_OF_A_RUN = frozenset("0123456789abcdefABCDEF:.-")
_RUN = re.compile(r"[0-9A-Fa-f:.-]*")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.[0-9]{1,3}){3})?(?![\w:]|\.\w)")
_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){7}|(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})"
    r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2})(?![\w-]|[:.]\w)"
)
_A_VERSION = re.compile(
    r"(?<![^\W_])(?:v|ver|versions?|release|build|firmware|fw|driver|section|chapter|clause|kapitel|abschnitt|chapitre|oid)[\s.:=]*\Z"
    r"|[A-Za-z0-9]/\Z|§\s*\Z|[A-Za-z]-\Z|\bv\.?\Z",
    re.IGNORECASE,
)


class Ip(Detector):
    """An IPv4 or IPv6 address that can be somebody's: no loopback, mask, multicast or unspecified one, no version number."""

    type = "ip"

    def spans(self, text: Text) -> Iterator[Span]:
        """The address without port, prefix length or zone."""
        plain = text.plain
        for match in (match for span in text.numbers for match in _V4.finditer(plain, *span)):
            start, end = match.span()
            if not _goes_on(plain, start, end) and _somebodys(match.group()) and not _A_VERSION.search(before(plain, start, 16)):
                yield start, end
        for start, end in _runs(plain):
            for match in _V6.finditer(plain, start, end):
                # a::b is C++ and cafe::bad is prose: an address has a digit, or more groups.
                value = match.group()
                if (any(one.isdigit() for one in value) or value.count(":") > 3) and _somebodys(value):
                    yield match.span()


def _goes_on(plain: str, start: int, end: int) -> bool:
    """Whether the four numbers are part of something longer."""
    left, right = plain[max(0, start - 2) : start], plain[end : end + 2]
    return (
        left[-1:].isalnum() or left[-1:] in ("_", ".") or right[:1].isalnum() or right[:1] == "_"
        or (right[:1] in (".", "-") and right[1:].isalnum())
    )  # fmt: skip


def _somebodys(value: str) -> bool:
    try:
        address = ip_address(value)
    except ValueError:
        return False
    if address.version == 4 and (address.packed[0] == 0 or address.packed[0] >= 240):
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


class Mac(Detector):
    """A hardware address: six or eight pairs, or Cisco's three groups of four; not broadcast, not part of a fingerprint."""

    type = "mac"

    def spans(self, text: Text) -> Iterator[Span]:
        """The address."""
        for start, end in _runs(text.plain):
            for match in _MAC.finditer(text.plain, start, end):
                value = match.group().lower()
                digits_only = not any(one.isalpha() for one in value)
                if len(set(value)) > 3 and not (digits_only and ":" not in value):  # 20-10-11-09-30-15 is a time
                    yield match.span()


def _runs(plain: str) -> Iterator[Span]:
    """Stretches of hexadecimal groups with two characters after them, apart from each other."""
    place = 0
    for hit in sorted(match.start() for pattern in _HEX for match in pattern.finditer(plain)):
        if hit < place:
            continue
        start = hit
        while start > max(place, hit - 8) and plain[start - 1] in _OF_A_RUN:
            start -= 1
        found = _RUN.match(plain, hit)
        place = found.end() if found else hit + 1
        yield start, min(len(plain), place + 2)
