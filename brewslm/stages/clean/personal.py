"""Personal data in a document, by the policy that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from brewslm.filters.origins import Replacements
from brewslm.filters.pii import Finding, find_pii, redact
from brewslm.filters.preset import CleaningPreset

Policy = Literal["redact", "pseudonymise", "block"]
Replace = Callable[[str, tuple[Finding, ...]], tuple[str, tuple[Finding, ...]]]


@dataclass(frozen=True, slots=True)
class Treated:
    """A text after the policy.

    Attributes:
        findings: Where they stand in `text`.
        replacements: How its places lead back to the text before.
    """

    text: str
    findings: tuple[Finding, ...]
    replacements: Replacements


class PersonalData:
    """Does what the policy says: a placeholder, a stand-in that is the same for the same value, or nothing but to say where.

    Args:
        key: The project's secret: under another one every stand-in is another.
    """

    def __init__(self, policy: Policy, preset: CleaningPreset, key: bytes) -> None:
        self.blocks = policy == "block"
        self._preset = preset
        replaced: dict[Policy, Replace] = {
            "redact": redact,
            "pseudonymise": lambda text, findings: pseudonymise(text, findings, key),
            "block": lambda text, findings: (text, findings),
        }
        self._replace = replaced[policy]

    def treat(self, text: str) -> Treated:
        """Find, and replace."""
        found = find_pii(text, self._preset.phone_region)
        treated, moved = self._replace(text, found)
        return Treated(treated, moved, Replacements(_spans(found), _spans(moved)))


def _spans(findings: tuple[Finding, ...]) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in findings]


def pseudonymise(text: str, findings: tuple[Finding, ...], key: bytes) -> tuple[str, tuple[Finding, ...]]:
    """The text with a stand-in such as [EMAIL_3f2a91c40b] for each finding, and the findings where they now stand."""
    parts: list[str] = []
    moved: list[Finding] = []
    position = length = 0
    for one in findings:
        said = f"{one.type}\0{text[one.start : one.end].casefold()}".encode()
        mark = f"[{one.type.upper()}_{blake2b(said, digest_size=5, key=key).hexdigest()}]"
        parts += [text[position : one.start], mark]
        start = length + one.start - position
        moved.append(Finding(one.type, start, start + len(mark)))
        position, length = one.end, start + len(mark)
    return "".join([*parts, text[position:]]), tuple(moved)
