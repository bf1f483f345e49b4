"""Text that may leave the house: without the secrets that are known, without what looks like one, without home and host."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from brewslm.filters.pii import find_secrets, redact
from brewslm.filters.spelling import ESCAPES, any_of, encoded, escaped, lines_of, widened
from brewslm.reasons.shown import shown_url
from brewslm.store.secrets import is_secret_name

HIDDEN = "[SECRET]"
SHORTEST = 6
"""Characters: a shorter value is not looked for, since it would be found in the midst of ordinary words."""
_SHORTEST_LINE = 16
_ROUNDS = 6
_SHORT, _MOST_REMEMBERED = 200, 50_000
_NO_SECRETS = frozenset(["default", "disabled", "enabled", "false", "localhost", "secret", "undefined", "unknown"])
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s\"'<>\\]+")
_HOMES = re.compile(r"(?<![\w.~-])(?:/home|/Users)/(?![\s*])[^/\s\"'<>:,;\\]+|\b[A-Z]:\\+Users\\+[^\\/\s\"'<>:,;]+")


class Redactor:
    """Takes out of texts and JSON values what must not be told; doing it twice changes nothing more.

    Known secrets are found in every spelling (`filters/spelling.py`). What only looks like one is found as cleaning finds it in
    documents (`filters/pii`). A value under a key such as `api_key` goes whatever it looks like; `tokenizer_name`,
    `max_tokens` and `author` are no such keys.

    Args:
        known: Secrets, as the bytes that they are.
        places: Folder to what stands for it, such as "$BREWSLM_HOME". Homes of other people are "~" always.
        host: The machine's name; "" where it tells nothing.

    Attributes:
        counts: How much was taken out, by kind. It grows with every call.
    """

    def __init__(self, known: Iterable[bytes] = (), places: Mapping[Path, str] | None = None, host: str = "") -> None:
        secrets = lines_of([one for one in map(bytes.strip, known) if _is_telling(one)], _SHORTEST_LINE)
        self._plain = sorted({text for one in secrets if (text := _text(one)) is not None}, key=len, reverse=True)
        self._escaped = any_of(map(escaped, self._plain))
        self._encoded = [needle for one in secrets for needle in encoded(one)]
        longest_first = sorted((places or {}).items(), key=lambda item: -len(str(item[0])))
        self._places = [(_path_pattern(path), name) for path, name in longest_first if len(path.parts) > 1]
        telling = len(host) > 3 and host not in _NO_SECRETS
        self._host = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", re.IGNORECASE) if telling else None
        self.counts: Counter[str] = Counter()
        self._innocent: set[str] = set()

    def text(self, text: str) -> str:
        """The text with placeholders such as [SECRET] and [EMAIL]."""
        if text in self._innocent:
            return text
        for _ in range(_ROUNDS):
            before, text = text, self._once(text)
            if text == before:
                break
        if len(text) < _SHORT and len(self._innocent) < _MOST_REMEMBERED:  # codes, ids and actors come again and again
            self._innocent.add(text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with all its texts redacted, its keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._key(name): self._under(name, part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(part) for part in value]
        return value

    def _key(self, name: Any) -> Any:
        return self.text(name) if isinstance(name, str) else name

    def _under(self, name: Any, value: Any) -> Any:
        if isinstance(name, str) and is_secret_name(name):
            return self._all_of(value)
        return self.value(value)

    def _all_of(self, value: Any) -> Any:
        """All texts and numbers of what stands under a secret's name."""
        if isinstance(value, dict):
            return {self._key(name): self._all_of(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._all_of(part) for part in value]
        if value is None or isinstance(value, bool) or value in ("", HIDDEN):
            return value
        self.counts["secret"] += 1
        return HIDDEN

    def _once(self, text: str) -> str:
        text = self._without_known(text)
        findings = find_secrets(text)
        self.counts.update(finding.type for finding in findings)
        text, _ = redact(text, findings)
        text = _URL.sub(self._shown, text) if "://" in text else text
        for place, name in self._places:
            text = self._swapped(place, name, text, "home")
        text = self._swapped(_HOMES, "~", text, "home")
        return self._swapped(self._host, "[HOST]", text, "host") if self._host else text

    def _without_known(self, text: str) -> str:
        for secret in self._plain:
            if secret in text:
                self.counts["known_secret"] += text.count(secret)
                text = text.replace(secret, HIDDEN)
        if self._escaped is not None and _has_escapes(text):
            pattern = self._escaped
            lines = text.split("\n")
            text = "\n".join(
                self._swapped(pattern, HIDDEN, line, "known_secret") if _has_escapes(line) else line for line in lines
            )
        folded = text.lower() if self._encoded else ""
        for needle in self._encoded:
            if needle.sign in (folded if needle.folded else text):
                text = self._without_encoded(needle.pattern, text)
                folded = text.lower()
        return text

    def _without_encoded(self, pattern: re.Pattern[str], text: str) -> str:
        parts, place = [], 0
        for match in pattern.finditer(text):
            start, end = widened(text, *match.span())
            if end <= place:
                continue
            parts += [text[place : max(start, place)], HIDDEN]
            place = end
            self.counts["known_secret"] += 1
        return "".join([*parts, text[place:]])

    def _shown(self, match: re.Match[str]) -> str:
        shown = shown_url(match.group())
        self.counts["url"] += shown != match.group()
        return shown

    def _swapped(self, pattern: re.Pattern[str], name: str, text: str, kind: str) -> str:
        text, count = pattern.subn(lambda _: name, text)
        self.counts[kind] += count
        return text


def _is_telling(secret: bytes) -> bool:
    said = secret.decode("latin-1")
    return len(secret) >= SHORTEST and said.lower() not in _NO_SECRETS and said not in HIDDEN


def _text(secret: bytes) -> str | None:
    try:
        return secret.decode()
    except UnicodeDecodeError:
        return None


def _has_escapes(text: str) -> bool:
    return any(mark in text for mark in ESCAPES)


def _path_pattern(path: Path) -> re.Pattern[str]:
    """The folder as it is, in a URL and in a JSON that escapes its slashes; not the beginning of another's name."""
    spelled = (str(path), quote(str(path), safe=""), str(path).replace("/", "\\/"))
    return re.compile(rf"(?<![\w.~-])(?:{'|'.join(map(re.escape, dict.fromkeys(spelled)))})(?![\w.-])")
