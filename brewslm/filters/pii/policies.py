"""What is done with personal data: a placeholder in its place, or a stand-in that is the same for the same value."""

import re
from collections.abc import Callable
from hashlib import blake2b

from brewslm.filters.pii.base import Finding

_WITH_CASE = frozenset({"secret", "url_credentials", "crypto"})
_KEY_BYTES = 16


def redact(text: str, findings: tuple[Finding, ...]) -> tuple[str, tuple[Finding, ...]]:
    """The text with a placeholder such as [EMAIL] for each finding, and the findings where their placeholders now stand."""
    return _replace(text, findings, lambda finding: f"[{finding.type.upper()}]")


def pseudonymise(text: str, findings: tuple[Finding, ...], key: bytes) -> tuple[str, tuple[Finding, ...]]:
    """The text with a stand-in such as [EMAIL_3f2a91c40b] for each finding, and the findings where their stand-ins now stand.

    The same value of a type has the same stand-in under the same key, in whatever case or grouping it is written. The digits
    are 40 bits of a keyed BLAKE2b (RFC 7693) of type and value: without the key they can't be traced back, nor tried out. Among a
    million distinct values of a type about half a pair shares its stand-in by chance.

    Args:
        key: The project's secret, 16 to 64 bytes. Whoever has it can test whether a value is in the text.

    Raises:
        ValueError: The key is shorter or longer.
    """
    if not _KEY_BYTES <= len(key) <= blake2b.MAX_KEY_SIZE:
        raise ValueError(f"the key has {len(key)} bytes; it needs {_KEY_BYTES} to {blake2b.MAX_KEY_SIZE}")

    def stand_in(finding: Finding) -> str:
        value = text[finding.start : finding.end]
        if finding.type not in _WITH_CASE:
            value = re.sub(r"[\s().\-/]", "", value) if finding.type != "email" else value
            value = value.casefold()
        digest = blake2b(f"{finding.type}\0{value}".encode(errors="surrogatepass"), digest_size=5, key=key).hexdigest()
        return f"[{finding.type.upper()}_{digest}]"

    return _replace(text, findings, stand_in)


def _replace(text: str, findings: tuple[Finding, ...], mark_of: Callable[[Finding], str]) -> tuple[str, tuple[Finding, ...]]:
    parts: list[str] = []
    moved: list[Finding] = []
    position = length = 0
    for finding in findings:
        mark = mark_of(finding)
        parts += [text[position : finding.start], mark]
        start = length + finding.start - position
        moved.append(Finding(finding.type, start, start + len(mark)))
        position, length = finding.end, start + len(mark)
    return "".join([*parts, text[position:]]), tuple(moved)
