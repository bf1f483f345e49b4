"""Personal data in a document, by the policy that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from brewslm.filters.origins import Replacements
from brewslm.filters.pii import Finding, find_pii, pseudonymise, redact
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
        found = find_pii(text, self._preset.pii)
        treated, moved = self._replace(text, found)
        return Treated(treated, moved, Replacements(_spans(found), _spans(moved)))


def _spans(findings: tuple[Finding, ...]) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in findings]
