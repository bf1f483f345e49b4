"""Only this machine's own pages and programs may ask: there are no users yet.

A page of another site can't read our answers, but a browser would still send its requests here (a form, an upload), and a name
that is rebound to 127.0.0.1 would let it read them too. So the Host header must be a loopback name, and so must the Origin, where
there is one.
"""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from brewslm.api.problems import respond
from brewslm.errors import StageError
from brewslm.reasons.refusals import HostNotAllowed

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LoopbackOnly:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            host, origin = f"//{headers.get(b'host', '')}", headers.get(b"origin")
            if not is_loopback(host) or (origin is not None and not is_loopback(origin)):
                return await respond(StageError(HostNotAllowed(), where=origin or host[2:]))(scope, receive, send)
        return await self.app(scope, receive, send)


def is_loopback(address: str) -> bool:
    """Whether an origin, or `//host:port`, is this machine's own."""
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:
        return False
