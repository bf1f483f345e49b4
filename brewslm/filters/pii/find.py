"""All findings of a text: which detectors there are, and which wins where two would."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache

from brewslm.filters.pii.base import Detector, Finding, Span, Text
from brewslm.filters.pii.context import PLACEHOLDER
from brewslm.filters.pii.identity import NationalId, Ssn, TaxId
from brewslm.filters.pii.mail import Email, UrlCredentials
from brewslm.filters.pii.money import Card, Crypto, Iban
from brewslm.filters.pii.network import Ip, Mac
from brewslm.filters.pii.papers import DateOfBirth, Passport
from brewslm.filters.pii.phone import Phone
from brewslm.filters.pii.policies import redact
from brewslm.filters.pii.secrets import Secret
from brewslm.filters.preset import PiiPreset

SURE: tuple[type[Detector], ...] = (
    UrlCredentials, Secret, Email, Iban, Crypto, TaxId, NationalId, Card, Mac, Ip, DateOfBirth, Passport, Ssn,
)  # fmt: skip
"""The surest first: it wins where two would overlap. Phone comes after all of them."""
NEAR = 256
"""Characters: more than any detector looks beyond its value."""
_OF_LOGS: tuple[Detector, ...] = (UrlCredentials(), Secret(), Email())
TYPES = (*(detector.type for detector in SURE), Phone.type)


def find_pii(text: str, preset: PiiPreset) -> tuple[Finding, ...]:
    """All findings in order, none overlapping another; the surer type wins where two would.

    A value may be hidden by its neighbour until that one is gone. So what `redact` would leave is read again around each
    finding until nothing more is found: `redact` and `pseudonymise` leave nothing that `find_pii` would find. (Names and places
    of the `pii-ner` extra are looked for once.)

    Raises:
        StageError(ExtraMissing): The preset asks for names and places, and the extra is not installed.
    """
    found = _found(text, _detectors(preset.phone_regions))
    if preset.ner:
        from brewslm.filters.pii.ner import names_and_places

        found = _with(found, names_and_places(text), text)
    return found


def find_secrets(text: str) -> tuple[Finding, ...]:
    """As `find_pii`, of what a technical text must not tell: keys, tokens, passwords, URLs with one, addresses of mail.

    Numbers are left alone: a log has many, and they are step counts and sizes rather than telephones.
    """
    return _found(text, _OF_LOGS)


def _found(text: str, detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    view = Text(text)
    first = _once(view, detectors)
    return tuple(one for window in _windows(view, first) for one in _settled(text, window, first, detectors))


@cache
def _detectors(regions: tuple[str, ...]) -> tuple[Detector, ...]:
    return (*(detector() for detector in SURE), Phone(regions))


def _once(text: Text, detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = ()
    for detector in detectors:
        found = _with(found, [Finding(detector.type, *span) for span in detector.spans(text)], text.plain)
    return found


def _windows(text: Text, found: tuple[Finding, ...]) -> list[Span]:
    """The text around the findings: beyond, redacting changes nothing. Cut at white space, away from numbers and findings."""
    blocked = sorted([*text.announced, *((one.start, one.end) for one in found)])
    windows: list[Span] = []
    for one in found:
        if windows and one.end + NEAR <= windows[-1][1]:
            continue
        start, end = _cut(text.plain, one.start - NEAR, blocked, -1), _cut(text.plain, one.end + NEAR, blocked, 1)
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, end))
    return windows


def _cut(text: str, place: int, blocked: list[Span], step: int) -> int:
    """The first place from `place` on, or back, that is white space and in no blocked span; or the end of the text."""
    while 0 < place < len(text):
        nearest = bisect_right(blocked, (place, len(text)))
        inside = next((span for span in reversed(blocked[max(0, nearest - 2) : nearest]) if span[1] > place), None)
        if inside:
            place = inside[1] if step > 0 else inside[0] - 1
        elif text[place].isspace():
            return place
        else:
            place += step
    return min(max(place, 0), len(text))


def _settled(text: str, window: Span, found: tuple[Finding, ...], detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    """The findings of a window, and those that come to light when they are redacted."""
    start, end = window
    part = text[start:end]
    first, last = bisect_left(found, start, key=_start), bisect_left(found, end, key=_start)
    inside = tuple(Finding(one.type, one.start - start, one.end - start) for one in found[first:last])
    new = inside
    while new:
        redacted, moved = redact(part, inside)
        new = _once(Text(redacted), detectors)
        inside = _joined(inside, moved, new)
    return tuple(Finding(one.type, one.start + start, one.end + start) for one in inside)


def _start(one: Finding) -> int:
    return one.start


def _with(found: tuple[Finding, ...], more: Sequence[Finding], text: str) -> tuple[Finding, ...]:
    """The findings and those of `more`, the longer first, that overlap none; what lies in a placeholder is none."""
    if not more:
        return found
    every = list(found)
    taken = [(one.start, one.end) for one in every]
    placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
    for one in sorted(more, key=lambda finding: (finding.start - finding.end, finding.start)):
        place = bisect_left(taken, (one.end, 0))
        if (place and taken[place - 1][1] > one.start) or _cuts(placeholders, one):
            continue
        taken.insert(place, (one.start, one.end))
        every.insert(place, one)
    return tuple(every)


def _cuts(placeholders: list[Span], one: Finding) -> bool:
    """Whether the finding has a part of a placeholder, but not the whole of it and more."""
    first = bisect_left(placeholders, (one.start, 0))
    near = placeholders[max(0, first - 1) : first + 1] + placeholders[bisect_left(placeholders, (one.end, 0)) - 1 :][:1]
    return any(
        start < one.end and one.start < end and not (one.start <= start and end <= one.end and one.end - one.start > end - start)
        for start, end in near
    )


def _joined(found: tuple[Finding, ...], moved: tuple[Finding, ...], new: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of a text and those of what redaction left of it, where they stand in the text."""
    ends = [one.end for one in moved]

    def origin(place: int) -> int:
        before = bisect_right(ends, place)
        return place + (found[before - 1].end - ends[before - 1] if before else 0)

    back = [Finding(one.type, origin(one.start), origin(one.end)) for one in new]
    ends_of_back = [one.end for one in back]
    kept = [one for one in found if not _lies_in(one, back, ends_of_back)]
    return tuple(sorted([*kept, *back], key=_start))


def _lies_in(one: Finding, wide: list[Finding], ends: list[int]) -> bool:
    place = bisect_left(ends, one.end)
    return place < len(wide) and wide[place].start <= one.start
