"""OpenAI's chat completions and completions of one model in this process, streamed or whole.

What a request may say is written down in `_Common`: anything else is refused by its name, not passed over in silence.
"""

import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, Literal, Self, TypeVar

import anyio
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from brewslm.errors import StageError
from brewslm.models.writer import Answer, Wish, Writer

Body = TypeVar("Body", bound=BaseModel)
MOST = 1024
"""Tokens of an answer, where the request does not say."""


class Refused(Exception):
    """A request that can't be answered: OpenAI's error body, and its HTTP status."""

    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        self.status, self.code, self.param = status, code, param
        super().__init__(message)

    def response(self) -> Response:
        """As OpenAI says it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return _json({"error": {"message": str(self), "type": kind, "code": self.code, "param": self.param}}, self.status)


class _Streamed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False


class _JsonSchema(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    description: str | None = None
    strict: bool | None = None
    schema_: dict[str, Any] = Field(alias="schema")


class _ResponseFormat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "json_schema"]
    json_schema: _JsonSchema | None = None


class _Common(BaseModel):
    """`model` is not looked at: the server has one."""

    model_config = ConfigDict(extra="forbid")

    model: str = ""
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: _Streamed | None = None
    n: Literal[1] = 1
    user: str | None = None

    def wish(self, most: int | None, schema: dict[str, Any] | None = None) -> Wish:
        """How it shall be written."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Wish(most or MOST, self.temperature, self.top_p, self.seed, tuple(filter(None, stop)), schema)


class _Chat(_Common):
    messages: list[dict[str, Any]] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    response_format: _ResponseFormat | None = None

    @model_validator(mode="after")
    def _texts(self) -> Self:
        for message in self.messages:
            content = message.get("content")
            if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
                message["content"] = "".join(str(part.get("text", "")) for part in content)
            elif not isinstance(content, str):
                raise ValueError("a message's content must be a text")
            if not isinstance(message.get("role"), str):
                raise ValueError("a message must have a role")
        return self

    @property
    def schema_of_answer(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must keep to."""
        asked = self.response_format.json_schema if self.response_format else None
        return asked.schema_ if asked else None


class _Completion(_Common):
    prompt: str | list[int]
    max_tokens: int | None = Field(default=16, ge=1)
    logprobs: int | None = Field(default=None, ge=0, le=5)
    echo: Literal[False] = False
    return_tokens_as_token_ids: bool = False


class ChatRoutes:
    """Routes under /v1.

    Args:
        model: The name that it answers to.
        turn: Entered for as long as the model is at work: it is asked one thing at a time.
    """

    def __init__(self, model: str, writer: Writer, turn: Callable[[], AbstractContextManager[None]]) -> None:
        self._model, self._writer, self._turn = model, writer, turn

    def routes(self) -> list[Route]:
        """Chat completions and completions."""
        return [
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/completions", self._completion, methods=["POST"]),
        ]

    async def _chat(self, request: Request) -> Response:
        asked = read(await request.body(), _Chat)
        try:
            ids = self._writer.chat_ids(asked.messages)
        except StageError as error:
            raise Refused(400, f"the chat template can't write these messages: {error.cause}", error.reason.code) from error
        wish = asked.wish(asked.max_completion_tokens or asked.max_tokens, asked.schema_of_answer)
        return await self._answered(asked, ids, wish, _CHAT)

    async def _completion(self, request: Request) -> Response:
        asked = read(await request.body(), _Completion)
        ids = self._writer.text_ids(asked.prompt) if isinstance(asked.prompt, str) else asked.prompt
        if not ids:
            raise Refused(400, "the prompt is empty", "invalid_request", "prompt")
        if asked.logprobs is not None:
            if asked.stream or asked.temperature:
                raise Refused(400, "logprobs are given of whole answers at temperature 0", "invalid_request", "logprobs")
            return await run_in_threadpool(self._with_logprobs, asked, self._fits(ids, asked.wish(asked.max_tokens)), ids)
        return await self._answered(asked, ids, asked.wish(asked.max_tokens), _TEXT)

    def _fits(self, ids: list[int], wish: Wish) -> Wish:
        room = self._writer.context - len(ids)
        if room < 1:
            message = f"the prompt has {len(ids)} tokens, and the model's context is {self._writer.context}"
            raise Refused(400, message, "context_length_exceeded")
        return Wish(min(wish.most, room), wish.temperature, wish.top_p, wish.seed, wish.stop, wish.schema)

    async def _answered(self, asked: _Common, ids: list[int], wish: Wish, form: "_Form") -> Response:
        wish = self._fits(ids, wish)
        if asked.stream:
            whole = bool(asked.stream_options and asked.stream_options.include_usage)
            return _Stream(self._stream(ids, wish, form, whole), media_type="text/event-stream")
        return await run_in_threadpool(self._whole, ids, wish, form)

    def _whole(self, ids: list[int], wish: Wish, form: "_Form") -> Response:
        answer = Answer()
        with self._turn():
            text = "".join(self._writer.write(ids, wish, answer))
        choice = form.whole(text) | {"index": 0, "finish_reason": answer.finish, "logprobs": None}
        return _json(self._envelope(form.object) | {"choices": [choice], "usage": _usage(ids, answer.tokens)})

    def _stream(self, ids: list[int], wish: Wish, form: "_Form", usage: bool) -> Generator[bytes, None, None]:
        answer, envelope = Answer(), self._envelope(form.chunk)
        with self._turn():
            for number, part in enumerate(self._writer.write(ids, wish, answer)):
                yield _event(envelope | {"choices": [form.part(part, number == 0) | {"index": 0, "finish_reason": None}]})
        yield _event(envelope | {"choices": [form.part("", False) | {"index": 0, "finish_reason": answer.finish}]})
        if usage:
            yield _event(envelope | {"choices": [], "usage": _usage(ids, answer.tokens)})
        yield b"data: [DONE]\n\n"

    def _with_logprobs(self, asked: _Completion, wish: Wish, ids: list[int]) -> Response:
        """The greedy tokens with their ids and log-probabilities, as llama.cpp's server gives them."""
        with self._turn():
            found = self._writer.first_tokens(ids, wish.most)
        steps = [{"id": token, "token": self._writer.text([token]), "logprob": score} for token, score in found]
        stopped = bool(found) and found[-1][0] == self._writer.end
        text = self._writer.text([token for token, _ in found])
        choice = {
            "index": 0, "text": text, "finish_reason": "stop" if stopped else "length",
            "logprobs": {
                "content": steps,
                "tokens": [f"token_id:{one['id']}" if asked.return_tokens_as_token_ids else one["token"] for one in steps],
                "token_logprobs": [one["logprob"] for one in steps],
            },
        }  # fmt: skip
        return _json(self._envelope("text_completion") | {"choices": [choice], "usage": _usage(ids, len(found))})

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": f"{kind[:4]}-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": self._model}


class _Stream(StreamingResponse):
    """Parts that are computed in threads. Whatever becomes of the caller, the work ends with the response."""

    def __init__(self, parts: Generator[bytes, None, None], media_type: str) -> None:
        self._parts = parts
        super().__init__(self._each(), media_type=media_type)

    async def _each(self) -> AsyncIterator[bytes]:
        while (part := await run_in_threadpool(next, self._parts, None)) is not None:
            yield part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them; a generator that was left in the middle would hold the model until somebody collects it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._parts.close)


class _Form:
    """How chat completions and completions are told apart.

    Args:
        object, chunk: What a whole answer, and a part of one, is called.
    """

    def __init__(self, object: str, chunk: str, chat: bool) -> None:
        self.object, self.chunk, self._chat = object, chunk, chat

    def whole(self, text: str) -> dict[str, Any]:
        """A choice's text."""
        return {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}

    def part(self, text: str, first: bool) -> dict[str, Any]:
        """A part of it."""
        if not self._chat:
            return {"text": text}
        role = {"role": "assistant"} if first else {}
        return {"delta": role | ({"content": text} if text else {})}


_CHAT = _Form("chat.completion", "chat.completion.chunk", chat=True)
_TEXT = _Form("text_completion", "text_completion", chat=False)


def read(body: bytes, kind: type[Body]) -> Body:
    """A request's body.

    Raises:
        Refused: It is no JSON, or says what this server does not know.
    """
    try:
        return kind.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Refused(400, "the body is no JSON", "invalid_request") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        message = f"{name}: this server does not know it" if first["type"] == "extra_forbidden" else f"{name}: {first['msg']}"
        raise Refused(400, message, "invalid_request", name or None) from error


def _usage(ids: list[int], tokens: int) -> dict[str, int]:
    return {"prompt_tokens": len(ids), "completion_tokens": tokens, "total_tokens": len(ids) + tokens}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
