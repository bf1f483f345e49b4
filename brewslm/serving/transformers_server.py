"""A model server on transformers, as a child process: for what llama.cpp does not serve.

It loads a folder of an export, and answers rows through the task's handler, as an evaluation does. A causal model speaks OpenAI's
API too. One request is computed at a time; the others wait.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.models.architectures.names import architecture_of
from brewslm.models.loading import Precision
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.serving.chat_routes import ChatRoutes, Refused, read
from brewslm.serving.model_server import said_options
from brewslm.store.files import read_json, write_atomic

ROWS = 256
"""The most rows of one request."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    row_id: str
    payload: dict[str, Any]


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: list[_Row]


class ModelOfRows:
    """A model in this process, with the handler of the task that it was trained on.

    Args:
        folder: Of the exported model, with its tokenizer or processor.
        bundle: Of the export, whose manifest names the task.
    """

    def __init__(self, folder: Path, bundle: Path, precision: Precision) -> None:
        said = read_json(bundle / "manifest.json")["prompt_format"]
        schema = OutputSchema.model_validate(said["output_schema"])
        self.handler = handler_for(said["task_profile"], schema)
        architecture = architecture_of(read_json(folder / "config.json"))
        assert architecture is not None  # it was trained here
        self.writer = None
        if architecture == "causal":
            from brewslm.models.loading import load_model, load_tokenizer
            from brewslm.models.predictors import WeightsPredictor
            from brewslm.models.writer import Writer

            model, tokenizer = load_model(folder, precision=precision), load_tokenizer(folder)
            self._predictor: Any = WeightsPredictor(model, tokenizer)
            self.writer = Writer(model, tokenizer)
        else:
            from brewslm.models.architectures import architecture_for

            made = architecture_for(architecture, folder, schema)
            self._predictor = made.predictor(made.load(None, precision))
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self.at_work = 0
        """Requests that are computed, or wait for that."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until nobody else is answered."""
        with self._counting:
            self.at_work += 1
        try:
            with self._lock:
                yield
        finally:
            with self._counting:
                self.at_work -= 1

    def answers(self, rows: Sequence[PreparedRow]) -> list[Prediction]:
        """What the model says to rows, in their order.

        Raises:
            Refused: A row has nothing to ask.
        """
        for place, row in enumerate(rows):
            if not self.handler.question(row.payload):
                message = f"rows.{place}: {self.handler.profile} is asked by {self.handler.input_field}"
                raise Refused(422, message, "invalid_request", f"rows.{place}")
        with self.turn():
            return self.handler.predict(rows, self._predictor)


def app(served: ModelOfRows, model: str) -> Starlette:
    """Its routes: /health, /slots, /predict and /v1/models; /v1/chat/completions and /v1/completions of a causal model."""

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def slots(_: Request) -> Response:
        return _json([{"id": number, "is_processing": True} for number in range(served.at_work)])

    async def models(_: Request) -> Response:
        return _json({"object": "list", "data": [{"id": model, "object": "model", "created": 0, "owned_by": "brewslm"}]})

    async def predict(request: Request) -> Response:
        asked = read(await request.body(), _Rows)
        if len(asked.rows) > ROWS:
            raise Refused(422, f"rows: {len(asked.rows)}, and at most {ROWS} are taken at a time", "invalid_request", "rows")
        rows = [PreparedRow(row_id=row.row_id, payload=row.payload) for row in asked.rows]
        found = await run_in_threadpool(served.answers, rows)
        return _json({"model": model, "predictions": [one.model_dump(mode="json") for one in found]})

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return error.response()

    async def not_there(request: Request, _: Exception) -> Response:
        message = f"this model does not answer at {request.url.path}" + ("" if served.writer else ": it takes rows, at /predict")
        return Refused(404, message, "not_found").response()

    async def unusable(_: Request, error: Exception) -> Response:
        return Refused(422, f"a row can't be read ({type(error).__name__})", "invalid_request").response()

    routes = [
        Route("/health", health), Route("/slots", slots), Route("/v1/models", models),
        Route("/predict", predict, methods=["POST"]),
    ]  # fmt: skip
    if served.writer:
        routes += ChatRoutes(model, served.writer, served.turn).routes()
    handled: dict[Any, Any] = {Refused: refused, 404: not_there, ValidationError: unusable, KeyError: unusable, OSError: unusable}
    return Starlette(routes=routes, exception_handlers=handled)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def main() -> None:
    """The child: loads, listens on a port of the loopback address, says where, and serves."""
    options, address_file = said_options()
    import socket

    from brewslm.models.loading import set_threads, yield_when_waiting

    yield_when_waiting()
    set_threads()
    import uvicorn

    served = ModelOfRows(Path(options["folder"]), Path(options["bundle"]), options["precision"])
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", options["port"]))
    listening.listen(128)
    write_atomic(address_file, f"http://127.0.0.1:{listening.getsockname()[1]}".encode())
    config = uvicorn.Config(app(served, options["model"]), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
