"""The gateway: one address for each slot, whichever version answers under it.

The slot is read for each request: the commit that moves it is the switch. A stream that runs ends on the server where it began.
A request that meets a server which is just ending, or has just died, goes to the one that the slot has then, as long as its
caller has seen nothing of an answer.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request, Response

from brewslm.errors import StageError
from brewslm.reasons.refusals import RouteNotFound
from brewslm.serving.answering import Gateway, running
from brewslm.serving.exchange import Exchange
from brewslm.serving.relay import Relay, refused


@asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[dict[str, Gateway]]:
    async with running() as gateway:
        yield {"gateway": gateway}


router = APIRouter(prefix="/serve/{project}/{slot}/v1", tags=["serve"], lifespan=_lifespan)


@router.post("/chat/completions", operation_id="serve.chat_completions")
async def chat_completions(project: int, slot: str, request: Request) -> Response:
    """OpenAI's chat completions, streamed or whole."""
    return Relay(request.state.gateway, Exchange(project, slot, "/chat/completions"))


@router.post("/completions", operation_id="serve.completions")
async def completions(project: int, slot: str, request: Request) -> Response:
    """OpenAI's completions, streamed or whole."""
    return Relay(request.state.gateway, Exchange(project, slot, "/completions"))


@router.get("/models", operation_id="serve.models")
async def models(project: int, slot: str, request: Request) -> Response:
    """The model that answers here."""
    return Relay(request.state.gateway, Exchange(project, slot, "/models", counted=False))


@router.api_route("/{rest:path}", methods=["GET", "POST"], include_in_schema=False)
async def not_there(project: int, slot: str, rest: str, request: Request) -> Response:
    """What OpenAI's API has and a slot has not, in the form in which its clients read errors."""
    where, known = f"{request.method} /v1/{rest}", "a slot answers /v1/chat/completions, /v1/completions, /v1/models and /predict"
    return refused(StageError(RouteNotFound(), where=where, cause=known))
