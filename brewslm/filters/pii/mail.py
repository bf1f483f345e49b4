"""Mail addresses, and URLs that carry a password."""

import re
from collections.abc import Iterator

from brewslm.filters.pii.base import Detector, Span, Text

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_HOST = re.compile(r"(?:\w(?:[\w-]{0,61}\w)?\.){1,8}([^\W\d_]{2,24}|xn--[a-z0-9-]{2,50})(?![\w-])", re.IGNORECASE)
_FILES = frozenset(["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "json", "md", "py", "txt", "html", "yml"])
_LEFT = "!#$%&'*/=?^`{|}~."
_URL = re.compile(r"://[^\s/@:\"'<>\[\]]{0,128}:[^\s/@\"'<>\[\]]{1,256}@[^\s\"'<>\[\](){}|,;]{1,1024}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}\Z", re.IGNORECASE)


class Email(Detector):
    """An address as in RFC 5321, its domain with a top-level domain of letters; not `logo@2x.png`, not `git@host:path`."""

    type = "email"

    def spans(self, text: Text) -> Iterator[Span]:
        """From the local part to the domain."""
        plain, done = text.plain, 0
        place = plain.find("@")
        while place >= 0:
            span = self._around(plain, place, done)
            if span:
                yield span
                done = span[1]
            place = plain.find("@", max(place + 1, done))

    def _around(self, plain: str, place: int, done: int) -> Span | None:
        host = _HOST.match(plain, place + 1)
        local = _LOCAL.search(plain[max(done, place - 64) : place])
        if host is None or local is None or host[1].lower() in _FILES:
            return None
        # What may stand in a local part but seldom begins one: 'ana@x.org', user=ana@x.org, to/ana@x.org.
        name = local.group().lstrip(_LEFT)
        for mark in "='`|/?&{":
            name = name.rpartition(mark)[2] if mark != "'" or name.count("'") > 1 else name
        name = name.lstrip(_LEFT)
        ssh = name.lower() in ("git", "hg", "svn") and plain[host.end() : host.end() + 1] in (":", "/")
        return None if not name or ".." in name or name.endswith(".") or ssh else (place - len(name), host.end())


class UrlCredentials(Detector):
    """A URL with a name and a password before its host; the whole URL is the finding."""

    type = "url_credentials"

    def spans(self, text: Text) -> Iterator[Span]:
        """From the scheme to the end of the URL."""
        for match in text.anchored("://", _URL):
            scheme = _SCHEME.search(text.plain[max(0, match.start() - 16) : match.start()])
            if scheme:
                end = match.start() + len(match.group().rstrip(".!?:"))
                yield match.start() - len(scheme.group()), end
