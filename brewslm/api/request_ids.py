"""Every request has an id: the caller's `X-Request-ID`, or one of ours. It is answered, and kept with each call that it makes."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brewslm.asking import asking

HEADER = "X-Request-ID"
PAGES = "/ui"


class RequestIds:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, knowing whose it is."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        face = "web" if scope["path"].startswith(PAGES) else "api"
        with asking(face, Headers(scope=scope).get(HEADER)) as now:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)[HEADER] = now.request_id
                await send(message)

            return await self.app(scope, receive, answer)
