import anyio
import pytest
from starlette.requests import Request

from brewslm.errors import StageError
from brewslm.serving import relay


def asked(*parts: bytes) -> Request:
    """A request whose body comes in these parts."""
    told = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    told.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return told.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def test_a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr(relay, "LARGEST_REQUEST", 10)
    assert anyio.run(relay.body_of, asked(b"12345", b"67890")) == b"1234567890"
    request = asked(b"12345", b"678901", b"never read")
    with pytest.raises(StageError) as refused:
        anyio.run(relay.body_of, request)
    assert refused.value.reason.code == "request_too_large"
