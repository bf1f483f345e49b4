"""Whom `url:` may not ask, in every spelling, by a name and by redirect: refused with its reason, and nobody is asked."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from brewslm.settings import settings
from brewslm.sources.url import UrlConnector
from brewslm.sources.url_address import not_public, parsed, target_of
from tests.sources.webserver import ROWS, WebServer, cache, left, redirect, refusal, server, setting  # noqa: F401 - fixtures

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
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[2606:2800:21f::1%eth0]",
    "[fec0::1]", "[fc00::1]",
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
