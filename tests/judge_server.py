"""A judge of ours on loopback: it speaks OpenAI's chat completions, and can do what real ones do at their worst."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[str], str]
"""The user message → what the judge writes."""


def verdict(said: str) -> str:
    return json.dumps({"reason": "it is so", "verdict": said})


def part(message: str, name: str) -> str:
    """What stands between the marks of one part of a message."""
    return message.partition(f"<<<{name}>>>\n")[2].partition(f"\n<<<end of {name}>>>")[0]


@dataclass
class JudgeServer:
    """The server.

    Attributes:
        say: What it writes.
        status: What it answers to everything, where it is not 0; `fails` times only, where that is not None.
        hangs: It takes a request and never answers; `drips`: it sends a space now and then, and never an end.
        plain: It refuses any field but model and messages, as servers without structured output do.
        asked: The bodies of every request; `keys`: what came as authorization.
    """

    say: Say = field(default=lambda _message: verdict("pass"))
    url: str = ""
    status: int = 0
    fails: int | None = None
    hangs: bool = False
    drips: bool = False
    plain: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    judge: JudgeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        judge = self.judge
        judge.asked.append(body)
        judge.keys.add(self.headers.get("Authorization", ""))
        if judge.hangs:
            judge.over.wait()
        elif judge.drips:
            self._drip()
        elif self._fails_now() or self.path != "/v1/chat/completions":
            self._send(judge.status or 404, {"error": {"message": "not now", "type": "server_error"}})
        elif judge.plain and body.keys() - {"model", "messages"}:
            self._send(400, {"error": {"message": "unknown field", "type": "invalid_request_error"}})
        else:
            said = {"role": "assistant", "content": judge.say(body["messages"][-1]["content"])}
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]})

    def _fails_now(self) -> bool:
        judge = self.judge
        if not judge.status:
            return False
        return judge.fails is None or len(judge.asked) <= judge.fails

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        while not self.judge.over.wait(0.05):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    def _send(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


@contextmanager
def judging(**how: Any) -> Iterator[JudgeServer]:
    """Serve for the block."""
    judge = JudgeServer(**how)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"judge": judge}))
    server.daemon_threads = True
    judge.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield judge
    finally:
        judge.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
