"""A Kaggle of ours on loopback: its own client asks http://localhost (KAGGLE_API_ENVIRONMENT) through a proxy, this server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

TOKEN = "KGAT_loopbackSecretThatMustNotBeSeen"
STORAGE = "http://storage.kaggle.invalid"
SIGNATURE = "signature-that-must-not-be-seen"
_PAGE = 3


@dataclass(frozen=True)
class Asked:
    """One request."""

    url: str
    body: dict[str, Any]
    authorization: str | None


@dataclass
class Kaggle:
    """The server. `files` are by "competition:<slug>" or "dataset:<owner>/<slug>", then by name."""

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    """Whose rules were not accepted, or that are private."""
    zipped: dict[str, bytes] = field(default_factory=dict)
    """What is sent for a name instead of its file, as a zip file."""
    asked: list[Asked] = field(default_factory=list)
    status: int = 0
    """What it answers to everything, where it is not 0."""
    cut: bool = False
    """Whether downloads break off."""

    def environment(self, folder: Path) -> dict[str, str]:
        """What a process is told, so that it asks this server, keeps its files in `folder` and has nobody's credentials."""
        own = {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": self.url, "no_proxy": ""}
        return own | {"HOME": str(folder), "BREWSLM_CACHE": str(folder / "cache")}

    def downloads(self) -> int:
        return sum(asked.url.startswith(STORAGE) for asked in self.asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kaggle: Kaggle

    def log_message(self, *_: Any) -> None:
        """Nothing: what was asked stands in `Kaggle.asked`."""

    def do_GET(self) -> None:
        """The storage, to which downloads are sent on."""
        self._note({})
        key, _, name = unquote(urlsplit(self.path).path).removeprefix("/").partition("//")
        name = name.removesuffix(".zip") if name.removesuffix(".zip") in self.kaggle.zipped else name
        content = self.kaggle.zipped.get(name) or self.kaggle.files[key][name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.kaggle.cut else content)
        self.close_connection = self.kaggle.cut

    def do_POST(self) -> None:
        """The API: a call is a POST to its service and name."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(body)
        call = urlsplit(self.path).path.rpartition("/")[2]
        slug = body.get("competitionName") or f"{body.get('ownerSlug')}/{body.get('datasetSlug')}"
        key = f"{'competition' if 'competitionName' in body else 'dataset'}:{slug}"
        files = self.kaggle.files.get(key)
        if self.kaggle.status or files is None:
            return self._json({"code": self.kaggle.status or 404, "message": f"no {SIGNATURE}"}, self.kaggle.status or 404)
        if key in self.kaggle.closed:
            return self._json({"code": 403, "message": f"no {SIGNATURE}"}, 403)
        if call in ("ListDataFiles", "ListDatasetFiles"):
            return self._page(files, int(body.get("pageToken") or 0), "files" if call == "ListDataFiles" else "datasetFiles")
        assert call in ("DownloadDataFile", "DownloadDataset"), call
        name = body["fileName"]
        if name not in files:
            return self._json({"code": 404, "message": "no such file"}, 404)
        zipped = ".zip" if name in self.kaggle.zipped else ""
        self.send_response(302)
        self.send_header("Location", f"{STORAGE}/{quote(f'{key}//{name}{zipped}')}?X-Goog-Signature={SIGNATURE}")
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def _page(self, files: dict[str, bytes], start: int, field_name: str) -> None:
        made = "2026-03-01T12:00:00.0000000Z"
        listed = [
            {"name": name, "ref": name, "totalBytes": len(content), "creationDate": made} for name, content in files.items()
        ]
        page: dict[str, Any] = {field_name: listed[start : start + _PAGE]}
        if start + _PAGE < len(listed):
            page["nextPageToken"] = str(start + _PAGE)
        self._json(page)

    def _note(self, body: dict[str, Any]) -> None:
        self.kaggle.asked.append(Asked(self.path, body, self.headers.get("Authorization")))

    def _json(self, value: Any, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running_kaggle() -> Iterator[Kaggle]:
    """A Kaggle that answers until the end of the block."""
    made = Kaggle()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"kaggle": made}))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """A Kaggle of this test's own, which the client in this process and in its children asks, with a token."""
    from brewslm.settings import settings

    with running_kaggle() as made:
        for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_KERNEL_RUN_TYPE", "NO_PROXY", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in (made.environment(tmp_path) | {"KAGGLE_API_TOKEN": TOKEN}).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        yield made
    settings.cache_clear()
