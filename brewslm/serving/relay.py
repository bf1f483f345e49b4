"""A model server's answer passed on as it comes: whole, or event by event.

Written against ASGI itself, and over aiohttp, whose parser is in C: on the machines that this is for, each token's way through
the gateway takes time from the model. docs/decisions has the figures.
"""

from functools import partial
from typing import Any

import aiohttp
import anyio
import orjson
from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from brewslm.errors import StageError
from brewslm.reasons.refusals import InvalidRequest, ModelServerBroke, ModelServerSilent, RequestTooLarge
from brewslm.serving.answering import CONNECT_SECONDS, Gateway, Gone
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.exchange import CLIENT_GONE, ERRED, OK, Exchange
from brewslm.serving.slots import SlotNow

LARGEST_REQUEST = 32 << 20
"""Bytes: room for some pictures."""
RETRY_SECONDS = 2
"""Retry-After of what is unavailable: a model server is started again in about that time."""
EVENTS = "text/event-stream"
PROBLEM = "application/problem+json"


class Relay(Response):
    """The response to one request of OpenAI's API, made by the slot's model server."""

    def __init__(self, gateway: Gateway, one: Exchange) -> None:
        super().__init__()
        self._gateway, self._one = gateway, one
        self._asked: dict[str, Any] | None = None
        self._begun = self._complete = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a caller that goes away ends the wait and the work on the model server too."""
        try:
            if scope["method"] == "POST":
                await self._read(scope, receive)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, receive, tasks.cancel_scope)
                await self._answer(scope, receive, send)
                tasks.cancel_scope.cancel()
        except ClientDisconnect:  # before it had sent all of its request
            self._one.outcome = CLIENT_GONE
        except StageError as error:
            await self._refuse(error, scope, receive, send)
        finally:
            self._gateway.tell(self._one)

    async def _watch(self, receive: Receive, work: anyio.CancelScope) -> None:
        """End the work when the caller goes away. Once all was sent, a server says the same: then the work ends by itself."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._complete:
            self._one.outcome = (
                ERRED if self._one.says_error else CLIENT_GONE
            )  # clients leave at an error, before the stream's end
            work.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._gateway.answered(self._one, partial(self._ask, send))
        except StageError as error:
            await self._refuse(error, scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> None:
        self._one.asked = await body_of(Request(scope, receive))
        try:
            found = orjson.loads(self._one.asked)
        except orjson.JSONDecodeError as error:
            raise _unreadable(f"it is no JSON: {error.msg}") from None
        if not isinstance(found, dict):
            raise _unreadable("it is no JSON object")
        self._asked = found

    async def _ask(self, send: Send, now: SlotNow, endpoint: Endpoint) -> None:
        """Put the request to this server, and pass its answer on.

        Raises:
            Gone: It is not there any more, and nothing was passed on.
            StageError(ModelServerSilent, ModelServerBroke): It fell silent, or broke off in mid-answer.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=now.settings.silence_seconds)
        headers = {"Content-Type": "application/json"} | endpoint.headers()
        method, url = "GET" if self._asked is None else "POST", endpoint.base_url + self._one.path
        body = self._body(endpoint.model)
        asking = self._gateway.client.request(method, url, data=body, headers=headers, timeout=timeout)
        try:
            async with asking as answer:
                if answer.status == 503:  # it ends, or it still loads
                    raise Gone("it is not ready", was_asked=True)
                if answer.status == 200 and answer.content_type == EVENTS:
                    await self._stream(answer, now, send)
                else:
                    await self._whole(answer, now, send)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Gone(type(error).__name__, was_asked=False) from error
        except TimeoutError as error:
            cause = f"it said nothing for {now.settings.silence_seconds:g} s"
            raise StageError(ModelServerSilent(), "The model server is silent", where=now.model, cause=cause) from error
        except aiohttp.ClientError as error:
            if self._begun:
                cause = f"after a part of the answer: {type(error).__name__}"
                raise StageError(ModelServerBroke(), "The model server broke off", where=now.model, cause=cause) from error
            raise Gone(type(error).__name__, was_asked=True) from error

    def _body(self, model: str) -> bytes | None:
        """The request with the model's own name: some servers answer to no other."""
        if self._asked is None:
            return None
        return self._one.asked if self._asked.get("model") == model else orjson.dumps(self._asked | {"model": model})

    async def _whole(self, answer: aiohttp.ClientResponse, now: SlotNow, send: Send) -> None:
        body = await answer.read()
        self._one.took_whole(body)
        length = (b"content-length", str(len(body)).encode())
        await self._begin(answer.status, answer.headers.get("Content-Type", "application/json"), now, send, length)
        self._complete = True
        await send({"type": "http.response.body", "body": body})
        self._one.outcome = OK if answer.status < 400 else f"http_{answer.status}"

    async def _stream(self, answer: aiohttp.ClientResponse, now: SlotNow, send: Send) -> None:
        async for part in answer.content.iter_any():
            self._one.took(part)
            if not self._begun:
                await self._begin(200, EVENTS, now, send, (b"cache-control", b"no-cache"))
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if not self._begun:
            raise Gone("it sent no event", was_asked=True)
        self._complete = True
        await send({"type": "http.response.body", "body": b""})
        self._one.outcome = ERRED if self._one.says_error else OK

    async def _begin(self, status: int, content_type: str, now: SlotNow, send: Send, *more: tuple[bytes, bytes]) -> None:
        self._begun, self._one.status = True, status
        headers = [(b"content-type", content_type.encode()), (b"x-brewslm-model", now.model.encode()), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def _refuse(self, error: StageError, scope: Scope, receive: Receive, send: Send) -> None:
        """The problem as the response; once a stream has begun, as its last event, which OpenAI's clients raise."""
        self._one.outcome, self._complete = error.reason.code, True
        if not self._begun:
            self._one.status = error.reason.status
            return await refused(error)(scope, receive, send)
        event = b"data: " + orjson.dumps({"error": openai_error(error)}) + b"\n\n"
        return await send({"type": "http.response.body", "body": event})


def refused(error: StageError) -> Response:
    """A problem document (RFC 9457) that is an error of OpenAI's API too: clients of both read it."""
    headers = {}
    seconds = error.reason.payload().get("retry_after_seconds", RETRY_SECONDS if error.reason.status == 503 else None)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return Response(
        orjson.dumps(error.problem() | {"error": openai_error(error)}), error.reason.status, headers=headers, media_type=PROBLEM
    )


def openai_error(error: StageError) -> dict[str, Any]:
    """What OpenAI's clients show: the four parts of the problem as their message."""
    status, where = error.reason.status, "; ".join(part for part in (error.where, error.cause) if part)
    said = f"{error.what}: {where}" if where else error.what
    kind = "rate_limit_error" if status == 429 else "invalid_request_error" if status < 500 else "server_error"
    message = f"{said.rstrip('.')}. {error.next_step}".strip()
    return {"message": message, "type": kind, "param": None, "code": error.reason.code}


def _unreadable(cause: str) -> StageError:
    return StageError(InvalidRequest(), "The request can't be read", where="body", cause=cause, next_step="Send a JSON object.")


async def body_of(request: Request) -> bytes:
    """The whole body.

    Raises:
        StageError(RequestTooLarge): It has more than `LARGEST_REQUEST` bytes.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_REQUEST:
            raise StageError(RequestTooLarge(), where="body", cause=f"it has more than {LARGEST_REQUEST} bytes")
        parts.append(part)
    return b"".join(parts)
