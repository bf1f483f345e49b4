"""Personal data in a text: what kind, and where. A finding never holds the value."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_]{2,24}(?![\w-])")
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
CARD = re.compile(r"(?<![\d.,+-])[2-6]\d(?:[ -]?\d){11,17}(?![\d-])")
IP_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IP_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: characters `start` to `end` of the text that was read are of this type."""

    type: str
    start: int
    end: int


Span = tuple[int, int]


def find_pii(text: str, phone_region: str) -> tuple[Finding, ...]:
    """All findings in order, none overlapping another; the surer kind wins where two would.

    Args:
        phone_region: How a phone number without a country code is read, such as "US".
    """
    kinds: tuple[tuple[str, Callable[[], Iterator[Span]]], ...] = (
        ("email", lambda: (match.span() for match in EMAIL.finditer(text))),
        ("iban", lambda: _ibans(text)),
        ("card", lambda: _cards(text)),
        ("ip", lambda: _addresses(text)),
        ("phone", lambda: _phones(text, phone_region)),
    )
    found: list[Finding] = []
    for kind, spans in kinds:
        taken = sorted((finding.start, finding.end) for finding in found)
        found += [Finding(kind, *span) for span in spans() if not _overlaps(span, taken)]
    return tuple(sorted(found, key=lambda finding: finding.start))


def redact(text: str, findings: tuple[Finding, ...]) -> tuple[str, tuple[Finding, ...]]:
    """The text with a placeholder such as [EMAIL] for each finding, and the findings where their placeholders now stand."""
    parts: list[str] = []
    moved: list[Finding] = []
    position = length = 0
    for finding in findings:
        mark = f"[{finding.type.upper()}]"
        parts += [text[position : finding.start], mark]
        start = length + finding.start - position
        moved.append(Finding(finding.type, start, start + len(mark)))
        position, length = finding.end, start + len(mark)
    return "".join([*parts, text[position:]]), tuple(moved)


def _overlaps(span: Span, taken: list[Span]) -> bool:
    """`taken` is in order and without overlaps, so only the last one that begins before the span's end can reach into it."""
    place = bisect_left(taken, (span[1], 0))
    return place > 0 and taken[place - 1][1] > span[0]


def _ibans(text: str) -> Iterator[Span]:
    from stdnum import iban

    for match in IBAN.finditer(text):
        # What follows may be capitals too, so the candidate is shortened until country, length and check digits agree.
        start, end = match.span()
        while end - start >= 15 and not iban.is_valid(text[start:end]):
            end -= 1
        if end - start >= 15:
            yield start, start + len(text[start:end].rstrip())


def _cards(text: str) -> Iterator[Span]:
    from stdnum import luhn

    for match in CARD.finditer(text):
        digits = re.sub(r"[ -]", "", match.group())
        if luhn.is_valid(digits) and len(set(digits)) > 1:
            yield match.span()


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (IP_V4, IP_V6):
        for match in pattern.finditer(text):
            try:
                address = ip_address(match.group())
            except ValueError:
                continue
            if not (address.is_loopback or address.is_unspecified or address.is_multicast):  # those are nobody's
                yield match.span()


def _phones(text: str, region: str) -> Iterator[Span]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID, max_tries=1_000_000):
        yield match.start, match.end
