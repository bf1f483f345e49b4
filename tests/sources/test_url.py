"""`url:` against a real server on loopback, which the setting allows."""

import gzip
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from brewslm.errors import StageError
from brewslm.observe.events import events
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.reasons.ingestion import DatasetImportRun
from brewslm.settings import settings
from brewslm.sources import connector_of
from brewslm.sources.url import Limits, UrlConnector
from brewslm.sources.url_address import not_public, parsed, target_of
from brewslm.store.database import forget_connections
from tests.sources.webserver import Handler, WebServer, certificate_for, redirect, web_server

ROWS = b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'
QUICK = Limits(seconds=0.3, silence_seconds=0.3)


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


def test_a_file_is_fetched_and_read_by_its_content(server: WebServer) -> None:
    connector, reference = connector_of(f"url:{server.url('/rows.jsonl?token=secret')}")
    described = connector.describe(reference)
    assert described.columns == ["text", "label"] and described.approximate_total_rows == 2
    assert connector.reader(connector.file(reference)).extension == "jsonl"
    assert {headers["Host"] for _, headers in server.asked} == {f"127.0.0.1:{server.port}"}
    assert server.asked[0][0] == "/rows.jsonl?token=secret"


@pytest.mark.parametrize(
    ("path", "headers", "content", "name"),
    [
        ("/plain.csv", {}, b"text\nonly one column\n", ".csv"),
        ("/export", {"content_disposition": 'attachment; filename="../../etc/x.tsv"'}, b"a\tb\n1\t2\n", ".tsv"),
        ("/export", {"content_disposition": "attachment; filename*=UTF-8''r%C3%B6ws.csv"}, b"text\none\n", ".csv"),
        ("/rows.jsonl.gz", {}, gzip.compress(ROWS), ".jsonl"),
        ("/rows.jsonl", {"content_encoding": "gzip"}, gzip.compress(ROWS), ""),
        ("/..%2f..%2fevil.sh", {}, ROWS, ""),
    ],
)
def test_of_its_name_only_a_known_suffix_is_taken(server: WebServer, cache: Path, path, headers, content, name) -> None:
    server.answers = {path: lambda handler: handler.send(content, **headers)}
    found = UrlConnector().file(server.url(path))
    assert found.suffix == name or name == ""
    assert list(UrlConnector().rows(found, ""))
    assert all(not each.endswith(".sh") and ".." not in each for each in left(cache.parent))


def test_the_same_content_is_the_same_file_and_a_new_one_does_not_take_its_place(server: WebServer) -> None:
    url = server.url("/rows.jsonl")
    first = UrlConnector().file(url)
    assert UrlConnector().file(url) == first
    server.answers["/rows.jsonl"] = ROWS + ROWS
    assert UrlConnector().file(url) != first and first.read_bytes() == ROWS


def test_a_server_that_names_versions_sends_each_once(server: WebServer) -> None:
    sent = []

    def versioned(handler: Handler) -> None:
        if handler.headers.get("If-None-Match") == '"v1"':
            handler.send(b"", 304)
        else:
            sent.append(handler.path)
            handler.send(ROWS, etag='"v1"')

    server.answers["/rows.jsonl"] = versioned
    url = server.url("/rows.jsonl")
    first = UrlConnector().file(url)
    assert UrlConnector().file(url) == first and len(sent) == 1
    first.unlink()  # somebody tidied the cache
    assert UrlConnector().file(url) == first and len(sent) == 2


def test_redirects_are_followed_five_times(server: WebServer) -> None:
    server.answers |= {f"/{n}": redirect(f"/{n + 1}", status) for n, status in enumerate((301, 302, 303, 307, 308))}
    server.answers["/5"] = redirect(server.url("/rows.jsonl"))
    assert UrlConnector().file(server.url("/1")).read_bytes() == ROWS
    error = refusal(server.url("/0"))
    assert error.reason.code == "source_unavailable" and "more than 5 times" in error.cause


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 410, 429, 500, 503])
def test_a_status_that_is_no_answer_is_told(server: WebServer, cache: Path, status: int) -> None:
    server.answers["/rows.jsonl"] = lambda handler: handler.send(b"", status)
    error = refusal(server.url("/rows.jsonl?key=abc"))
    assert error.reason.code == "source_unavailable" and str(status) in error.cause
    assert error.where.endswith("?key=…") and not left(cache)


def test_what_is_larger_than_allowed_is_never_kept(server: WebServer, cache: Path, monkeypatch) -> None:
    def chunked(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not handler.server.over.is_set():
            handler.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.over.is_set():
            handler.wfile.write(b"x" * 1000)

    setting(monkeypatch, url_bytes=100_000)
    server.answers = {
        "/chunked": chunked,
        "/endless": endless,
        "/told": lambda handler: handler.send(b"", content_length="100001"),
    }
    for path in server.answers:
        error = refusal(server.url(path))
        assert error.reason.code == "source_too_large" and "100,000 are allowed" in error.cause, path
    assert not left(cache)
    server.answers["/exact"] = b"[" + b" " * 99_990 + b'{"a":1}]'
    assert UrlConnector().file(server.url("/exact"))


def test_a_content_that_is_cut_off_is_not_kept(server: WebServer, cache: Path) -> None:
    server.answers["/rows.jsonl"] = lambda handler: handler.send(ROWS, content_length=str(len(ROWS) + 1))
    assert refusal(server.url("/rows.jsonl")).reason.code == "source_unavailable" and not left(cache)


def test_a_packing_that_was_not_asked_for_is_refused(server: WebServer, cache: Path) -> None:
    server.answers["/rows.jsonl"] = lambda handler: handler.send(b"??", content_encoding="br")
    error = refusal(server.url("/rows.jsonl"))
    assert error.reason.code == "source_unavailable" and "as br" in error.cause and not left(cache)


def drip(handler: Handler, start: bytes, piece: bytes) -> None:
    handler.wfile.write(start)
    while not handler.server.over.wait(0.01):
        handler.wfile.write(piece)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n"),
        (b"", b"H"),
    ],
)
def test_a_server_that_drips_is_ended(server: WebServer, cache: Path, start: bytes, piece: bytes) -> None:
    server.answers["/rows.jsonl"] = lambda handler: drip(handler, start, piece)
    error = refusal(server.url("/rows.jsonl"), UrlConnector(Limits(seconds=0.3)))
    assert error.reason.code == "source_unavailable" and not left(cache)
    assert "was not there after 0.3 s" in error.cause or piece == b"H"  # which may be known for no HTTP before


def test_redirects_do_not_begin_the_time_anew(server: WebServer) -> None:
    server.answers["/a"] = lambda handler: (handler.server.over.wait(0.2), redirect("/a")(handler))
    error = refusal(server.url("/a"), UrlConnector(Limits(seconds=0.5, redirects=1000)))
    assert "was not there after 0.5 s" in error.cause


def test_a_silent_server_is_ended(server: WebServer, cache: Path) -> None:
    server.answers["/rows.jsonl"] = lambda handler: handler.server.over.wait() and None
    error = refusal(server.url("/rows.jsonl"), UrlConnector(Limits(silence_seconds=0.2)))
    assert error.reason.code == "source_unavailable" and "silent for 0.2 s" in error.cause and not left(cache)


def test_a_name_that_takes_too_long_to_look_up_is_ended() -> None:
    over = threading.Event()
    try:
        error = refusal("https://data.test/a", UrlConnector(QUICK, lambda _host, _port: [str(over.wait())]))
    finally:
        over.set()
    assert "was not there after 0.3 s" in error.cause


def test_a_server_that_is_not_there_is_told(server: WebServer) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = refusal(f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert error.reason.code == "source_unavailable" and "connection failed" in error.cause


def test_a_name_without_an_address_is_told() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for url in ("https://nothing.invalid/rows.jsonl", f"https://{'x' * 70}.test/", f"https://{'x.' * 500}test/"):
        error = refusal(url, UrlConnector(resolver=nobody) if "invalid" in url else None)
        assert error.reason.code == "source_unavailable" and "has no address" in error.cause


def test_an_error_of_the_content_names_the_url(server: WebServer) -> None:
    server.answers |= {"/page": b"<html>Please log in</html>", "/nothing": b""}
    error = refusal(server.url("/page?session=s3cret"))
    assert error.reason.code == "source_unreadable" and error.where == server.url("/page?session=…")
    assert refusal(server.url("/nothing")).reason.code == "source_empty"


def test_no_proxy_and_no_password_of_the_environment_is_used(server: WebServer, tmp_path: Path, monkeypatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ana password secret\n")
    assert UrlConnector().file(server.url("/rows.jsonl")).read_bytes() == ROWS
    assert "Authorization" not in server.asked[0][1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_for("data.test", tmp_path_factory.mktemp("tls") / "data.pem")


def test_a_name_is_looked_up_once_and_its_address_asked_under_its_name(certificate: Path, monkeypatch) -> None:
    """DNS rebinding: the second answer would be another address. There is no second question."""
    setting(monkeypatch, url_hosts=["data.test"])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    answers = iter([["127.0.0.1"]])
    with web_server({"/rows.jsonl": ROWS}, certificate) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a second look-up"))
        found = UrlConnector(resolver=lambda _host, _port: next(answers)).file(server.url("/rows.jsonl", "data.test"))
        assert found.read_bytes() == ROWS and server.names == ["data.test"]
        assert server.asked[0][1]["Host"] == f"data.test:{server.port}"


def test_a_certificate_for_another_name_is_refused(certificate: Path, monkeypatch) -> None:
    setting(monkeypatch, url_hosts=["other.test", "data.test"])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server({"/rows.jsonl": ROWS}, certificate) as server:
        server.answers["/away"] = redirect(server.url("/rows.jsonl", "other.test"))
        for url in (server.url("/rows.jsonl", "other.test"), server.url("/away", "data.test")):
            error = refusal(url, UrlConnector(resolver=lambda _host, _port: ["127.0.0.1"]))
            assert error.reason.code == "source_unavailable" and "CERTIFICATE_VERIFY_FAILED" in error.cause
        assert [path for path, _ in server.asked] == ["/away"]


def test_a_redirect_from_https_to_http_is_refused(certificate: Path, server: WebServer, monkeypatch) -> None:
    setting(monkeypatch, url_hosts=["data.test", "127.0.0.1"])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server({"/a": redirect(server.url("/rows.jsonl"))}, certificate) as secure:
        error = refusal(secure.url("/a", "data.test"), UrlConnector(resolver=lambda _host, _port: ["127.0.0.1"]))
    assert error.reason.code == "address_refused" and "from https to http" in error.cause and not server.asked


def test_an_event_holds_no_value_of_a_query() -> None:
    def source(locator: str) -> str:
        counts = {"accepted_count": 1, "rejected_count": 0, "rejection_counts": {}}
        return DatasetImportRun(source=locator, mapper="text_only", written_path="a", **counts).source

    assert source("url:https://a.test/r?token=abc&SECRET&page=2#frag") == "url:https://a.test/r?token=…&…&page=…"
    assert source("url:https://ana:secret@a.test/r") == "url:https://…@a.test/r"
    assert source("hf:imdb:train?config=plain") == "hf:imdb:train?config=plain"


def test_an_import_leaves_no_token_in_the_stream(project: int, server: WebServer) -> None:
    mapping = {"mapper": "label_to_classification", "field_map": {"text": "text", "label": "label"}}
    locator = f"url:{server.url('/rows.jsonl?token=secret')}"
    import_rows("test", ImportRequest(project=project, locator=locator, commit=True, **mapping))
    (event,) = [event for event in events(project) if event.reason_code == "dataset_import_run"]
    assert event.payload["source"].endswith("/rows.jsonl?token=…") and event.payload["accepted_count"] == 2
    assert all("secret" not in each.model_dump_json() for each in events())


# --- who may not be asked ---------------------------------------------------------------------------------------------------

connected: list[object] = []
watching = threading.Event()


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and watching.is_set():
        connected.append(arguments[1])


sys.addaudithook(_watch)


@pytest.fixture
def no_connection() -> Iterator[None]:
    """No socket of this process is connected to anything in the test."""
    connected.clear()
    watching.set()
    yield
    watching.clear()
    assert connected == []


SPELLINGS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.01", "0", "0.0.0.0", "00.0.0.0", "1.0x1", "8.8.2056", "134744072", "0x8080808",
    "localhost", "LOCALHOST", "localhost.",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "224.0.1.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "0.1.2.3",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fec0::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[4000::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:0:127.0.0.1]", "[2002:7f00:1::]", "[2002:c0a8:101::1]", "[2002:a9fe:a9fe::]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[64:ff9b:1::808:808]", "[2001:0:7f00:1::]", "[2001:0:808:808:0:0:80ff:fffe]",
    "[2001:10::1]", "[2001:20::1]", "[2a00:1450::5efe:7f00:1]", "[2a00:1450::200:5efe:10.0.0.1]",
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.1%00.example.org", "127.0.0.1%2f.example.org", "①②⑦.⓪.⓪.①", "１２７.0.0.1",
    "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "ｌocalhost", "ⓛocalhost", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "١٢٧.٠.٠.١", "[::①]", "lo\u00adcalhost",
    "127.0.0.1 ", "127.0.0.1\t", "exa mple.org", "127.0.0.1\\@example.org", "", ".", "..", "a..b", "$(id)", "[", "[]",
    "[127.0.0.1]", "[::1", "::1", "[v1.x]", "\udcff.org", "a,b", "*", "{x}",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.usefixtures("no_connection")
def test_no_spelling_of_an_address_that_is_not_public_is_asked(host: str, monkeypatch, cache: Path) -> None:
    setting(monkeypatch, url_hosts=[])
    for port in ("", ":8443"):
        error = refusal(f"https://{host}{port}/rows.jsonl?token=secret")
        assert error.reason.code == "address_refused" and "secret" not in str(error), error
    assert not left(cache)


PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:2800:21f::1", "2a00:1450::1", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert not_public(address) == ""
    target = target_of(parsed("https://DATA.test./rows.jsonl?a=1"), lambda _host, _port: [address])
    assert (target.url.host, target.host, target.name) == (address, "data.test", "data.test")
    assert target.url.raw_path == b"/rows.jsonl?a=1"


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize(
    "written",
    [
        "http://example.org/", "HTTP://example.org/", "ftp://example.org/a", "file:///etc/passwd", "gopher://example.org/",
        "//example.org/a", "example.org/a", "https:example.org", "https:/example.org", "", "https", "data:,a",
        "https:\\\\example.org",
        "https://ana:secret@example.org/", "https://ana@example.org/", "https://:secret@example.org/",
        "https://a@b@example.org/",
        "https://example.org:0/", "https://example.org:65536/", "https://example.org:port/", "https://example.org:-1/",
        " https://example.org/", "https://example.org/\x00", "https://example.org/\r\nHost: b",
        f"https://example.org/{'a' * 70_000}",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_not_asked(written: str) -> None:
    error = refusal(written, UrlConnector(resolver=lambda _host, _port: ["127.0.0.1"]))
    assert error.reason.code == "address_refused" and "secret" not in str(error)


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.7"], ["93.184.215.14", "10.0.0.7"], ["10.0.0.7", "93.184.215.14"], ["2606:2800:21f::1", "::1"], ["fe80::1%eth0"],
        ["::ffff:192.168.0.1"], ["93.184.215.14", "2002:a00:1::"],
    ],
)  # fmt: skip
def test_a_name_with_any_address_that_is_not_public_is_not_asked(addresses: list[str]) -> None:
    error = refusal("https://data.test/rows.jsonl", UrlConnector(resolver=lambda _host, _port: addresses))
    assert error.reason.code == "address_refused" and "data.test leads to" in error.cause


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "169.254.169.254", "data.test"]
)
def test_a_redirect_to_an_address_that_is_not_public_is_not_followed(server: WebServer, host: str) -> None:
    for location in (server.url("/rows.jsonl", host), f"https://{host}/latest/meta-data", f"//{host}:{server.port}/rows.jsonl"):
        server.answers["/a"] = redirect(location)
        error = refusal(server.url("/a"), UrlConnector(resolver=lambda _host, _port: ["10.0.0.7"]))
        assert error.reason.code == "address_refused"
    assert {path for path, _ in server.asked} == {"/a"}


@pytest.mark.parametrize("location", ["", "ftp://127.0.0.1/", "file:///etc/passwd", "http://ana:b@127.0.0.1/", "https://["])
def test_a_redirect_to_what_is_no_address_is_not_followed(server: WebServer, location: str) -> None:
    server.answers["/a"] = redirect(location)
    assert refusal(server.url("/a")).reason.code == "address_refused" and len(server.asked) == 1


def test_a_host_is_allowed_by_itself_and_on_its_port_alone(server: WebServer, monkeypatch) -> None:
    setting(monkeypatch, url_hosts=["127.0.0.1:9", "0.0.1", "27.0.0.1", "127.0.0", "*"])
    assert refusal(server.url("/rows.jsonl")).reason.code == "address_refused" and not server.asked
    setting(monkeypatch, url_hosts=[f"127.0.0.1:{server.port}"])
    assert UrlConnector().file(server.url("/rows.jsonl")).read_bytes() == ROWS
    assert settings().url_hosts
