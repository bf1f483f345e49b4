"""A web server on loopback that answers what a test tells it to, with whatever manners; and what tests of `url:` share."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from brewslm.errors import StageError
from brewslm.sources.url import UrlConnector
from brewslm.store.database import forget_connections

ROWS = b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Looks up the path among the server's answers."""

    server: "WebServer"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        answer = self.server.answers.get(self.path.partition("?")[0])
        try:
            if answer is None:
                self.send_error(404)
            elif callable(answer):
                answer(self)
            else:
                self.send(answer)
        except OSError:  # the client has hung up
            self.close_connection = True

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"content_length": str(len(content))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class WebServer(ThreadingHTTPServer):
    """`asked` holds path and headers of each request, `names` what each TLS client called the server."""

    daemon_threads = True

    def __init__(self, answers: dict[str, bytes | Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked, self.names = answers, [], []
        self.over = threading.Event()
        """Set when the test is done: what a slow answer waits for."""
        self.scheme = "http"

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def use_tls(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def web_server(answers: dict[str, bytes | Answer], certificate: Path | None = None) -> Iterator[WebServer]:
    with WebServer(answers) as server:
        if certificate:
            server.use_tls(certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def certificate_for(name: str, path: Path) -> Path:
    """A self-signed certificate and its key, in one PEM file."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    key = path.with_suffix(".key")
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


def redirect(location: str, status: int = 302) -> Answer:
    return lambda handler: handler.send(b"", status, location=location)


def setting(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"BREWSLM_{name.upper()}", value if isinstance(value, str) else json.dumps(value))
    forget_connections()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    setting(monkeypatch, cache=str(tmp_path / "cache"), url_hosts=["127.0.0.1"])
    return tmp_path / "cache" / "urls"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server({"/rows.jsonl": ROWS}) as running:
        yield running


def refusal(url: str, connector: UrlConnector | None = None) -> StageError:
    with pytest.raises(StageError) as refused:
        (connector or UrlConnector()).file(url)
    return refused.value


def left(cache: Path) -> list[str]:
    """What a fetch left behind, but for the lock."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")
