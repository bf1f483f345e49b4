"""A secret in every spelling that logs and JSON give it: escaped, percent-encoded, as an HTML entity, in hex, in base64."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ESCAPES = "\\%&+"
"""A text without any of these spells nothing otherwise than it is."""
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]*")
_LONGEST_AROUND = 4096
_OF_BASE64 = {"+": r"(?:[+-]|(?i:%(?:25)*2b|\\+u002b))", "/": r"(?:\\*/|_|(?i:%(?:25)*2f|\\+u002f))"}
"""Its two odd characters, as they and their URL-safe fellows may be written."""


def escaped(secret: str) -> str:
    """A pattern for the secret, any of its characters as it is or escaped, also twice (JSON in JSON, a URL in a URL)."""
    return "".join(map(_character, secret))


def _character(char: str) -> str:
    units = [int.from_bytes(pair, "big") for pair in _pairs(char.encode("utf-16-be", "surrogatepass"))]
    of_json = "".join(rf"\\+u{unit:04x}" for unit in units)
    of_url = "".join(rf"%(?:25)*{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    forms = [of_json, rf"\\+x{ord(char):02x}", of_url, rf"&(?:amp;)*#(?:{ord(char)}|x0*{ord(char):x});"]
    if char in _NAMED:
        forms.append(rf"&(?:amp;)*{_NAMED[char]};")
    if char in "\"'\\/":
        forms.append(r"\\+" + re.escape(char))
    if char in "\n\r\t":
        forms.append(r"\\+" + {"\n": "n", "\r": "r", "\t": "t"}[char])
    if char == " ":
        forms.append(r"\+")
    return f"(?:{re.escape(char)}|(?i:{'|'.join(forms)}))"


def _pairs(data: bytes) -> list[bytes]:
    return [data[place : place + 2] for place in range(0, len(data), 2)]


@dataclass(frozen=True)
class Needle:
    """A secret encoded: `sign` is a part of it that is always there, and so quickly looked for; in lower case where `folded`."""

    sign: str
    folded: bool
    pattern: re.Pattern[str]


def encoded(secret: bytes) -> list[Needle]:
    """The secret in hex, and inside any base64 text: whatever stands before it, one of three is there."""
    found = [Needle(secret.hex(), True, re.compile(secret.hex(), re.IGNORECASE))]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + secret).decode()
        whole = code[(8 * before + 5) // 6 : 8 * (before + len(secret)) // 6]
        pattern = "".join(_OF_BASE64.get(char, char) for char in whole)
        found.append(Needle(max(re.split(r"[+/]", whole), key=len), False, re.compile(pattern)))
    return found


def any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all, the longest first; None for none."""
    every = sorted(set(patterns), key=len, reverse=True)
    return re.compile("|".join(every)) if every else None


def widened(text: str, start: int, end: int) -> tuple[int, int]:
    """A span and the base64 around it, whose first and last characters have some bits of the secret."""
    left = start
    while left and start - left < _LONGEST_AROUND and _BASE64.fullmatch(text[left - 1]):
        left -= 1
    around = _BASE64.match(text, end, end + _LONGEST_AROUND)
    return left, around.end() if around else end


def lines_of(secrets: Sequence[bytes], fewest: int) -> list[bytes]:
    """The secrets and, of those of several lines (a PEM block), each line that is long enough to be told from others."""
    parts = [line.strip() for one in secrets if b"\n" in one for line in one.splitlines()]
    return [*secrets, *(line for line in parts if len(line) >= fewest and not line.startswith(b"-----"))]
