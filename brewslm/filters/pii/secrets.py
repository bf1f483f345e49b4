"""Keys, tokens and passwords."""

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator

from brewslm.filters.pii.base import Detector, Span, Text

_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINES = re.compile(r"(?:\s*[A-Za-z0-9+/=,: -]{1,128}(?:\n|\\n|\Z))*")
_BY_UNDERSCORE = re.compile(
    r"(?:gh[opsur]|npm|hf|[sr]k_(?:live|test)|whsec|dop_v1|shp(?:at|ca|pa|ss))_[A-Za-z0-9+/=]{16,255}|github_pat_\w{40,255}"
)
_BY_HYPHEN = re.compile(
    r"(?:sk-(?:proj-|ant-|svcacct-|or-)?(?=[\w-]{0,40}[0-9])[A-Za-z0-9][\w-]{19,255}|glpat-[\w-]{20,64}(?:\.[\w.]{1,32})?"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,255}|xapp-[A-Za-z0-9-]{20,255}|GOCSPX-[\w-]{28}|pypi-AgE[\w-]{40,512})(?![\w])"
)
_TOKENS = (
    (re.compile(r"_[A-Za-z0-9]{16}"), 10, _BY_UNDERSCORE),
    (re.compile(r"-[\w-]{10}"), 6, _BY_HYPHEN),
    (re.compile(r"A(?<!\wA)(?:KIA|SIA|GPA|IDA|ROA|IPA)[A-Z2-7]{16}(?!\w)"), 0, None),
    (re.compile(r"AIza[\w-]{35}(?![\w-])"), 0, None),
    (re.compile(r"ya29\.[\w-]{20,512}"), 0, None),
    (re.compile(r"SG\.[\w-]{16,32}\.[\w-]{32,64}"), 0, None),
    (re.compile(r"hooks\.slack\.com/services/T\w{8,12}/B\w{8,12}/\w{20,32}"), 0, None),
)
"""What to search for, which begins with a letter and so is fast; how far before it the key begins; and the key's shape."""
_JWT = re.compile(r"eyJ[\w-]{8,8192}\.eyJ[\w-]{2,65536}\.[\w-]{0,1024}")
_BEARER = re.compile(r"(?:bearer|basic)[ :]{1,3}(?P<value>[A-Za-z0-9+/=_.~-]{16,4096})(?![\w])", re.IGNORECASE)
_ANNOUNCEMENT = re.compile(
    r"(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|account[_-]?key|passwort|kennwort"
    r"|mot de passe|contraseña|clave|wachtwoord|parola)(?:[_-]?(?:key|token|id|hash))?[\"']?[ \t]*\Z",
    re.IGNORECASE,
)
_ASSIGNED = tuple(re.compile(rf"{mark}>?[ \t]*[\"'`]?(?P<value>[^\s\"'`\[\]<>,;(){{}}]{{6,256}})") for mark in ":=")
_SAID = re.compile(
    r"(?:password|passwort|kennwort|contraseña|mot de passe|wachtwoord)[ \t]+(?:is|ist|lautet|es|est)[: ]{1,3}"
    r"[\"'`]?(?P<value>[^\s\"'`\[\]<>,;(){}]{8,256})",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"\$|%|\{|\*{3}|x{4}|\.{3}|(?:your|my|the|example|changeme|redacted|placeholder|none|null|true|false|os\.|self\.|env)",
    re.IGNORECASE,
)


class Secret(Detector):
    """A key of a known maker, a JWT, a private key's PEM block, or a random-looking value after `password =` and its like."""

    type = "secret"

    def spans(self, text: Text) -> Iterator[Span]:
        """The key alone, without the word that announces it."""
        yield from _blocks(text)
        yield from _tokens(text.plain)
        yield from (match.span() for match in _JWT.finditer(text.plain) if _is_jwt(match.group()))
        for word in ("bearer", "basic"):
            yield from (match.span("value") for match in text.anchored(word, _BEARER) if _looks_random(match["value"]))
        yield from _assigned(text)


def _tokens(plain: str) -> Iterator[Span]:
    for search, back, shape in _TOKENS:
        for hit in search.finditer(plain):
            if shape is None:
                yield hit.span()
                continue
            for start in range(max(0, hit.start() - back), hit.start()):
                match = shape.match(plain, start)
                if (
                    match
                    and match.end() > hit.start()
                    and not (start and (plain[start - 1].isalnum() or plain[start - 1] == "_"))
                ):
                    yield match.span()
                    break


def _assigned(text: Text) -> Iterator[Span]:
    """What is set equal to a password, or said to be one."""
    said = [match for word in ("passw", "kennw", "contrase", "mot de", "wachtw") for match in text.anchored(word, _SAID)]
    for match in (*(match for pattern in _ASSIGNED for match in pattern.finditer(text.plain)), *said):
        if match.re is not _SAID and not _ANNOUNCEMENT.search(text.plain, max(0, match.start() - 32), match.start()):
            continue
        value = match["value"].rstrip(".:")
        if len(value) >= 6 and not _NO_SECRET.match(value) and _looks_random(value):
            yield match.start("value"), match.start("value") + len(value)


def _blocks(text: Text) -> Iterator[Span]:
    """PEM blocks; one whose end is missing goes on for as long as its lines do."""
    place = text.plain.find("-----BEGIN ")
    while place >= 0:
        begun = _PEM.match(text.plain, place)
        end = place + 1
        if begun:
            following = text.plain.find("-----BEGIN ", begun.end())
            ended = _PEM_END.search(text.plain, begun.end(), following if following >= 0 else len(text.plain))
            lines = _PEM_LINES.match(text.plain, begun.end())
            end = ended.end() if ended else lines.end() if lines else begun.end()
            yield place, end
        place = text.plain.find("-----BEGIN ", end)


def _is_jwt(value: str) -> bool:
    head = value.partition(".")[0]
    try:
        return b'"alg"' in base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (binascii.Error, ValueError):
        return False


def _looks_random(value: str) -> bool:
    """Whether no word looks like it: letters and digits together, or mixed case, and 2.5 bits a character or more (Shannon)."""
    classes = sum((any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)), not value.isalnum()))
    has_digit = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    mixed = value[1:] != value[1:].lower() and value[1:] != value[1:].upper()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
    return classes >= 2 and (has_digit or mixed) and entropy >= 2.5
