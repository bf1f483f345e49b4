"""Model servers that misbehave on purpose, over real HTTP, and a gateway before them, in this process.

The tiny model's own server behaves too well to show what a gateway does when one dies, falls silent or lies.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import select

from brewslm.api.app import create_gateway
from brewslm.pipeline import runs
from brewslm.serving.endpoints import Endpoint, endpoint_file, endpoint_lock
from brewslm.store.database import transaction
from brewslm.store.files import write_json
from brewslm.store.locks import lock
from brewslm.store.tables import DeploymentVersion, Export, Slot
from tests.experiments import make_experiment
from tests.running import until

Behaviour = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request to an odd server."""

    protocol_version = "HTTP/1.1"
    body: dict[str, Any]

    def do_GET(self) -> None:
        self.answer({"object": "list", "data": [{"id": "odd", "object": "model"}]})

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.body))  # type: ignore[attr-defined]
        self.server.behave(self)  # type: ignore[attr-defined]

    def answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self) -> None:
        """A stream of events."""
        self.words = 0
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, data: str) -> None:
        part = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.flush()

    def word(self, text: str, **more: Any) -> None:
        self.words += 1
        self.event(json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **more}))

    def end(self) -> None:
        if self.body.get("stream_options", {}).get("include_usage"):
            self.event(json.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": self.words}}))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def die(self) -> None:
        """Close the connection without another word."""
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def says(text: str) -> Behaviour:
    """A server that answers at once, with the same words."""

    def behave(asked: Asked) -> None:
        if asked.body.get("stream"):
            asked.begin()
            for place, word in enumerate(text.split()):
                asked.word(f" {word}" if place else word)
            return asked.end()
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        count = len(text.split())
        usage = {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count}
        more = {"id": "x", "object": "chat.completion", "created": 1, "model": "odd"}
        return asked.answer({**more, "choices": [choice | {"text": text}], "usage": usage})

    return behave


class Odd:
    """A running odd server."""

    def __init__(self, behave: Behaviour) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.http.daemon_threads = True
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.http.behave, self.http.seen = behave, self.seen  # type: ignore[attr-defined]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@contextmanager
def odd(behave: Behaviour) -> Iterator[Odd]:
    made = Odd(behave)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def published(version_id: int, base_url: str) -> Iterator[None]:
    """Be the one that keeps this version's server alive, as the supervisor is."""
    with lock(endpoint_lock(version_id)):
        write_json(endpoint_file(version_id), Endpoint(base_url=base_url, model=f"default-v{version_id}", pid=1).model_dump())
        try:
            yield
        finally:
            endpoint_file(version_id).unlink()


def version(export: str, number: int) -> int:
    """A version to which the slot points, without a promote. Its state is nothing that the gateway reads."""
    with transaction() as session:
        made = DeploymentVersion(
            project_id=1, slot="default", version=number, export_id=export, variant="gguf-f16", target="local", state="pending",
            actor="test",
        )  # fmt: skip
        session.add(made)
        session.flush()
        point_to(made.id, session)
        return made.id


def point_to(version_id: int, session: Any = None) -> None:
    if session is None:
        with transaction() as session:
            return point_to(version_id, session)
    slot = session.scalar(select(Slot))
    if slot is None:
        session.add(Slot(project_id=1, name="default", version_id=version_id))
    else:
        slot.version_id = version_id
    return None


@contextmanager
def gateway() -> Iterator[str]:
    """The gateway alone, in a thread; its address."""
    config = uvicorn.Config(create_gateway(), port=0, log_level="error", timeout_graceful_shutdown=2)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started, "the gateway")
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join()  # to its end: what it still counts must not meet the next test's home


def bare_export(project: int, base: Path, folder: Path) -> str:
    """An export in the tables alone: nothing of it is ever read."""
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"")
    trained = make_experiment(project, base, folder / "adapter")
    with transaction() as session:
        run = runs.create(
            session, kind="export", operation="export.run", project_id=project, actor="test", request={}, parent=None,
            idempotency_key=None,
        )  # fmt: skip
        session.add(
            Export(
                run_id=run.id, project_id=project, experiment_id=trained.id, path=f"exports/{run.id}", manifest_sha256="",
                artifacts={},
            )
        )  # fmt: skip
        return run.id
