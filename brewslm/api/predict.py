"""A row asked of whatever version answers in a slot, in the words that it was trained on."""

from functools import partial
from typing import Annotated, Any

import anyio
import orjson
from fastapi import APIRouter, Body, Request, Response

from brewslm.api.uploads import readable_file
from brewslm.errors import StageError
from brewslm.observe.predict import Answer, ServerGone, ask_live
from brewslm.serving.answering import Gateway, Gone, Work
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.exchange import OK, Exchange
from brewslm.serving.relay import refused
from brewslm.serving.slots import SlotNow

router = APIRouter(prefix="/serve/{project}/{slot}", tags=["serve"])
Row = Annotated[
    str | dict[str, Any],
    Body(
        description="A text, or an object with the fields of the task's rows and, if you like, a row_id.",
        examples=["A slow, lovely film.", {"text": "A slow, lovely film."}],
    ),
]


class Served(Answer):
    """What a deployed model said to a row.

    Attributes:
        deployment: The number of the version that answered, and its name.
    """

    deployment: int
    model: str


@router.post("/predict", operation_id="serve.predict", response_model=Served)
async def predict(project: int, slot: str, row: Row, request: Request) -> Response:
    """A label, spans or an answer, with scores, from the version that the slot points to now."""
    gateway: Gateway = request.state.gateway
    one = Exchange(project, slot, "/predict", asked=orjson.dumps({"row": row}))
    try:
        answer = (await gateway.answered(one, _asking(row, gateway))).model_dump_json().encode()
        one.took_whole(answer)
        one.outcome, one.status = OK, 200
        return Response(answer, media_type="application/json")
    except StageError as error:
        one.outcome, one.status = error.reason.code, error.reason.status
        return refused(error)
    finally:
        gateway.tell(one)


def _asking(row: str | dict[str, Any], gateway: Gateway) -> Work[Served]:
    """The work of asking one server about the row."""

    async def ask(now: SlotNow, endpoint: Endpoint) -> Served:
        try:
            work = partial(ask_live, now.version_id, endpoint, row, readable_file, now.settings.silence_seconds)
            said = await anyio.to_thread.run_sync(work, limiter=gateway.threads)
        except ServerGone as gone:
            raise Gone(str(gone), gone.was_asked) from gone
        return Served(**dict(said), deployment=now.version_id, model=now.model)

    return ask
