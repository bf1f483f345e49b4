"""The gateway: one address for each slot, whichever version answers under it.

The slot is read for each request: the commit that moves it is the switch. A stream that runs ends on the server where it began.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from brewslm.errors import StageError
from brewslm.reasons.refusals import EndpointUnavailable
from brewslm.serving.endpoints import Endpoint, locate
from brewslm.store import tables
from brewslm.store.database import reading
from brewslm.store.records import project_of

TIMEOUT = httpx2.Timeout(10.0, read=600.0)


@asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    async with httpx2.AsyncClient(timeout=TIMEOUT) as client:
        yield {"model_servers": client}


router = APIRouter(prefix="/serve/{project}/{slot}/v1", tags=["serve"], lifespan=_lifespan)


def endpoint_of(project: int, slot: str) -> Endpoint:
    """The live server of the version that the slot points to.

    Raises:
        StageError(UnknownProject): There is no such project.
        StageError(EndpointUnavailable): Nothing is promoted, or its server is not up.
    """
    with reading() as session:
        project_of(session, project)
        found = session.get(tables.Slot, (project, slot))
    if found is None or found.version_id is None:
        raise _unavailable(slot, "no version is promoted")
    endpoint = locate(found.version_id)
    if endpoint is None:
        raise _unavailable(slot, "its model server is not up")
    return endpoint


Live = Annotated[Endpoint, Depends(endpoint_of)]


@router.post("/chat/completions", operation_id="serve.chat_completions")
async def chat_completions(request: Request, endpoint: Live) -> Response:
    """OpenAI's chat completions, streamed or whole."""
    return await _passed_on(request, endpoint, "/chat/completions")


@router.post("/completions", operation_id="serve.completions")
async def completions(request: Request, endpoint: Live) -> Response:
    """OpenAI's completions, streamed or whole."""
    return await _passed_on(request, endpoint, "/completions")


@router.get("/models", operation_id="serve.models")
async def models(request: Request, endpoint: Live) -> Response:
    """The model that answers here."""
    return await _passed_on(request, endpoint, "/models")


async def _passed_on(request: Request, endpoint: Endpoint, path: str) -> Response:
    client: httpx2.AsyncClient = request.state.model_servers
    asked = client.build_request(
        request.method,
        endpoint.base_url + path,
        content=await request.body(),
        headers={"content-type": request.headers.get("content-type", "application/json")},
    )
    try:
        answer = await client.send(asked, stream=True)
    except httpx2.TransportError as error:
        raise _unavailable(endpoint.model, f"its model server did not answer: {type(error).__name__}") from error
    return StreamingResponse(
        _body(answer), status_code=answer.status_code, media_type=answer.headers.get("content-type", "application/json")
    )


async def _body(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """The answer's bytes as they come; a caller that goes away ends the work on the model server too."""
    try:
        async for part in answer.aiter_bytes():
            yield part
    finally:
        await answer.aclose()


def _unavailable(where: str, cause: str) -> StageError:
    return StageError(EndpointUnavailable(), "No model answers here", where=where, cause=cause)
