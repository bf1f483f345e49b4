"""A small server that speaks OpenAI's chat completions, as services do that run other people's models."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Service:
    """A running one.

    Attributes:
        asked: The bodies of all requests, in order.
    """

    base_url: str
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def service(answer: Callable[[dict[str, Any]], str | int]) -> Iterator[Service]:
    """Answers what the function says of a request's body; of a number, that HTTP status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            running.asked.append(body)
            said = answer(body)
            if isinstance(said, int):
                self._send(said, {"error": {"message": "no", "type": "invalid_request_error", "code": None, "param": None}})
                return
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}, "logprobs": None}
            usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
            whole = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
            self._send(200, whole | {"usage": usage})

        def _send(self, status: int, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Service(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
