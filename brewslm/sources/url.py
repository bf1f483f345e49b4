"""`url:https://…`: a file on a web server, fetched into the cache, whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceTooLarge, SourceUnavailable
from brewslm.reasons.shown import shown_url
from brewslm.settings import settings
from brewslm.sources.anyfile import FORMATS, FileConnector
from brewslm.sources.url_address import Resolver, Target, parsed, refused, resolved, target_of
from brewslm.store.files import read_json, write_json
from brewslm.store.locks import lock

if TYPE_CHECKING:
    import httpx2

_REDIRECTS = (301, 302, 303, 307, 308)
_PACKED = (".gz", ".zst")
_NAMED = (".ndjson", *(f".{connector.scheme}" for connector in FORMATS))
_KEPT_AS_SENT = ("", "identity", "gzip", "x-gzip", "zstd")
"""Content encodings whose bytes are kept as they come: `file:` unpacks them, and has its cap against bombs."""


@dataclass(frozen=True)
class Limits:
    """How long a server may take. How much it may send is BREWSLM_URL_BYTES.

    Attributes:
        seconds: For everything: name, redirects, header, content. It ends a server that drips.
        silence_seconds: Between one byte and the next, and for a connection.
    """

    seconds: float = 3600.0
    silence_seconds: float = 30.0
    redirects: int = 5


class UrlConnector(FileConnector):
    """Fetches, and leaves the reading to `file:`. A server that names versions (ETag, Last-Modified) is asked for a newer one.

    Args:
        resolver: Looks up a name; it is asked once for each request, and the request goes to the address that it gave.
    """

    scheme = "url"
    grammar = "url:https://host/rows.csv"
    meaning = "A file on the public internet, over https, in any format that file: reads."

    def __init__(self, limits: Limits = Limits(), resolver: Resolver = resolved) -> None:
        self._limits, self._resolver = limits, resolver

    def file(self, reference: str) -> Path:
        """The file in the cache.

        Raises:
            StageError(AddressRefused): The URL, or one that it redirects to, may not be asked.
            StageError(SourceUnavailable): The server can't be reached, is too slow, or does not give it.
            StageError(SourceTooLarge): It is larger than BREWSLM_URL_BYTES, or unpacks to too much.
        """
        path = self.fetched(reference)
        try:
            return super().file(str(path))
        except StageError as error:  # a person knows the URL, not the place in the cache
            parts = {"cause": error.cause, "next_step": error.next_step}
            raise StageError(error.reason, error.what, where=shown_url(reference), **parts) from error

    def fetched(self, reference: str) -> Path:
        """What the server sends, in the cache, whether or not rows can be read from it.

        Raises:
            StageError(AddressRefused, SourceUnavailable, SourceTooLarge): As `file`.
        """
        folder = settings().cache / "urls" / hashlib.sha256(reference.encode(errors="surrogatepass")).hexdigest()[:32]
        with lock(folder.with_suffix(".lock")):
            return _Fetch(reference, folder, self._limits, self._resolver).path()


class _Fetch:
    """One fetch of one URL into its folder, by the holder of its lock."""

    def __init__(self, reference: str, folder: Path, limits: Limits, resolver: Resolver) -> None:
        self._reference, self._folder, self._limits, self._resolver = reference, folder, limits, resolver
        self._shown = shown_url(reference)
        self._most = settings().url_bytes
        notes = folder / "known.json"
        self._known: dict[str, str] = read_json(notes) if notes.exists() else {}
        if not (folder / self._known.get("name", "")).is_file():
            self._known = {}

    def path(self) -> Path:
        """The fetched file. An event loop of its own, for only a cancelled task ends whatever it waits for."""
        import httpx2
        from anyio.from_thread import start_blocking_portal

        self._folder.mkdir(parents=True, exist_ok=True)
        for torn in self._folder.glob(".fetch.*"):  # of a process that was killed: this one holds the lock
            torn.unlink()
        try:
            with start_blocking_portal() as portal:
                return portal.call(self._in_time)
        except httpx2.HTTPError as error:
            raise self._unavailable(_words(error, self._limits)) from error

    async def _in_time(self) -> Path:
        from anyio import fail_after

        try:
            with fail_after(self._limits.seconds):
                return await self._followed()
        except TimeoutError as error:
            raise self._unavailable(f"it was not there after {self._limits.seconds:,.4g} s") from error

    async def _followed(self) -> Path:
        from anyio.to_thread import run_sync

        url = parsed(self._reference)
        for _ in range(self._limits.redirects + 1):
            target = await run_sync(target_of, url, self._resolver, abandon_on_cancel=True)
            async with self._asked(target) as response:
                if response.status_code not in _REDIRECTS:
                    return await self._answered(response, url)
                url = _redirected(url, response.headers.get("location", ""))
        raise self._unavailable(f"it redirects more than {self._limits.redirects} times")

    @asynccontextmanager
    async def _asked(self, target: Target) -> "AsyncIterator[httpx2.Response]":
        """A client for each request: a pooled connection is known by its address, and may be another name's."""
        import httpx2

        headers = {"Host": target.host, "Accept-Encoding": "identity", "User-Agent": "brewslm", **self._conditions()}
        tls = httpx2.create_ssl_context()  # trusts what the system does, and SSL_CERT_FILE
        timeout = httpx2.Timeout(self._limits.silence_seconds)
        async with (
            httpx2.AsyncClient(verify=tls, timeout=timeout, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", target.url, headers=headers, extensions={"sni_hostname": target.name}) as response,
        ):
            yield response

    def _conditions(self) -> dict[str, str]:
        named = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {header: self._known[note] for header, note in named.items() if self._known.get(note)}

    async def _answered(self, response: "httpx2.Response", url: "httpx2.URL") -> Path:
        """The file: what is known already, or what the server sends."""
        if response.status_code == 304 and self._known:
            return self._folder / self._known["name"]
        if response.status_code != 200:
            raise self._unavailable(f"the server answered {response.status_code} {response.reason_phrase}".rstrip())
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _KEPT_AS_SENT:
            raise self._unavailable(f"the server packs it as {encoding[:40]}, though it was asked not to")
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large(f"the server announces {int(declared):,} bytes")
        names = (_disposition(response), unquote(url.path), unquote(parsed(self._reference).path))
        path = await self._written(response, next(filter(None, map(_suffix, names)), ""))
        notes = {note: response.headers.get(note, "") for note in ("etag", "last-modified")}
        write_json(self._folder / "known.json", notes | {"name": path.name})
        return path

    async def _written(self, response: "httpx2.Response", suffix: str) -> Path:
        """The content under its own hash, so that no later one takes its place while somebody reads it."""
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".fetch.", delete=False) as file:
            try:
                async for piece in response.aiter_raw():
                    size += len(piece)
                    if size > self._most:
                        raise self._too_large("the server sends more")
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                return Path(file.name).replace(self._folder / f"{digest.hexdigest()[:32]}{suffix}")
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _unavailable(self, cause: str) -> StageError:
        return StageError(SourceUnavailable(), where=self._shown, cause=cause)

    def _too_large(self, cause: str) -> StageError:
        said = f"{cause}, where {self._most:,} are allowed (BREWSLM_URL_BYTES)"
        return StageError(SourceTooLarge(), where=self._shown, cause=said)


def _redirected(url: "httpx2.URL", location: str) -> "httpx2.URL":
    import httpx2

    try:
        there = url.join(location).copy_with(fragment=None)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise refused(str(url), "it redirects to what can't be read as a URL") from error
    if not location or (url.scheme, there.scheme) == ("https", "http"):
        raise refused(str(url), "it redirects from https to http" if location else "it redirects to nowhere")
    return there


def _disposition(response: "httpx2.Response") -> str:
    message = Message()
    message["content-disposition"] = response.headers.get("content-disposition", "")
    return message.get_filename() or ""


def _suffix(name: str) -> str:
    """What a name says of the content: one or two known suffixes, and nothing else of it."""
    *_, before, last = ("", "", *(each.lower() for each in PurePosixPath(name).suffixes))
    if last in _PACKED:
        return f"{before}{last}" if before in _NAMED else last
    return last if last in _NAMED else ""


def _words(error: "httpx2.HTTPError", limits: Limits) -> str:
    """What went wrong on the way."""
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return f"the server was silent for {limits.silence_seconds:,.4g} s"
    return f"the connection failed: {error or type(error).__name__}"
