"""What is known of one request while the gateway answers it: for the statistics, and for the log where that is on."""

import re
import time
from collections import deque
from dataclasses import dataclass, field

from brewslm.serving.slots import SlotNow

OK = "ok"
CLIENT_GONE = "client_gone"
ERRED = "http_500"
"""Of a stream with an error among its events, whatever its status was."""
FAILED = "failed"
KEPT_BYTES = 16 << 20
"""Of an answer that is logged."""
_COUNT = re.compile(rb'(?<!\\)"(completion_tokens|prompt_tokens|predicted_n|prompt_n|cache_n)":\s*(\d+)')
"""OpenAI's usage, and llama.cpp's timings, which stand in a stream's last event too. In a text the quotes would be escaped."""


@dataclass
class Exchange:
    """One request and its answer, so far.

    Attributes:
        path: What was asked for, such as "/chat/completions".
        counted: Whether it enters the statistics and takes a place.
        asked: The request as it came.
        now: The slot when it was last read.
        outcome: "ok", a reason code, "http_400" and the like for what the model server said, "client_gone", or "failed": a fault
            of ours.
        status: Of the response.
        began, sent, first, last: Moments of a monotonic clock, in seconds: the request came, it went to a model server, the
            first token of a stream came, the newest bytes came.
        says_error: An event of the stream was an error, as OpenAI's API and llama.cpp's server write it.
    """

    project: int
    slot: str
    path: str
    counted: bool = True
    asked: bytes = b""
    now: SlotNow | None = None
    outcome: str = FAILED
    status: int = 0
    began: float = field(default_factory=time.monotonic)
    sent: float = 0.0
    first: float | None = None
    last: float = 0.0
    says_error: bool = False
    answer: list[bytes] = field(default_factory=list)
    _kept: int = 0
    _events: int = 0
    _end: deque[bytes] = field(default_factory=lambda: deque(maxlen=3))

    @property
    def is_logged(self) -> bool:
        """Whether the slot's owner wants it written down."""
        return self.now is not None and self.now.settings.log_requests

    def took(self, part: bytes) -> None:
        """Bytes of a stream came."""
        self.last = time.monotonic()
        events = part.count(b"data: ")
        if events and self.first is None:
            self.first = self.last
        self._events += events
        self.says_error = self.says_error or b'data: {"error"' in part or part.startswith(b"error: ")
        self._end.append(part)
        if self.is_logged and self._kept < KEPT_BYTES:
            self._kept += len(part)
            self.answer.append(part)

    def took_whole(self, body: bytes) -> None:
        """The whole answer came at once."""
        self.last = time.monotonic()
        self._end.append(body)
        if self.is_logged:
            self.answer.append(body[:KEPT_BYTES])

    @property
    def said_done(self) -> bool:
        """Whether a stream's closing event came. Clients leave at it, before the end of the stream itself."""
        return b"\ndata: [DONE]" in b"\n" + b"".join(self._end)

    @property
    def seconds(self) -> float:
        """From when it came until its answer's last bytes."""
        return (self.last or time.monotonic()) - self.began

    @property
    def first_seconds(self) -> float | None:
        """From when it came until its stream's first token."""
        return None if self.first is None else self.first - self.began

    @property
    def tokens(self) -> int:
        """That were written: as the model server says, or else a token an event of the stream."""
        counts = self._counts()
        return counts.get("completion_tokens", counts.get("predicted_n", max(0, self._events - 2)))

    @property
    def prompt_tokens(self) -> int:
        """Of the prompt, as the model server says; 0 where it does not."""
        counts = self._counts()
        return counts.get("prompt_tokens", counts.get("prompt_n", 0) + counts.get("cache_n", 0))

    def _counts(self) -> dict[str, int]:
        """The newest of each."""
        return {name.decode(): int(count) for name, count in _COUNT.findall(b"".join(self._end))}

    @property
    def speed(self) -> float | None:
        """Tokens a second: of a stream after its first token, else over the whole time on the model server."""
        tokens = self.tokens
        steps, since = (tokens - 1, self.first) if self.first is not None else (tokens, self.sent)
        return steps / (self.last - since) if steps > 0 and self.last > since else None
