"""`url:` against a real server on loopback, which the setting allows."""

import gzip
import socket
import threading
from pathlib import Path

import pytest

from brewslm.observe.events import events
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.reasons.ingestion import DatasetImportRun
from brewslm.sources import connector_of
from brewslm.sources.url import Limits, UrlConnector
from tests.sources.webserver import (  # noqa: F401 - fixtures
    ROWS,
    Handler,
    WebServer,
    cache,
    certificate_for,
    left,
    redirect,
    refusal,
    server,
    setting,
    web_server,
)

QUICK = Limits(seconds=0.3, silence_seconds=0.3)


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
        ("/rows.jsonl.gz", {}, gzip.compress(ROWS, mtime=0), ".jsonl"),
        ("/rows.jsonl", {"content_encoding": "gzip"}, gzip.compress(ROWS, mtime=0), ""),
        ("/..%2f..%2fevil.sh", {}, ROWS, ""),
    ],
    ids=["by the path", "by the disposition", "by its coded form", "packed file", "packed answer", "no known suffix"],
)
def test_of_its_name_only_a_known_suffix_is_taken(server: WebServer, cache: Path, path, headers, content, name) -> None:
    server.answers = {path: lambda handler: handler.send(content, **headers)}
    found = UrlConnector().file(server.url(path))
    assert found.suffix == name or name == ""
    assert list(UrlConnector().rows(found))
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
        for _ in range(1000):  # ten times what is allowed
            handler.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):  # ten times what is allowed
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
    """For a second, and then it waits: a hundred headers would be refused for their number."""
    handler.wfile.write(start)
    for _ in range(90):
        if not handler.server.over.wait(0.01):
            handler.wfile.write(piece)
    handler.server.over.wait()


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
