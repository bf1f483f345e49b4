"""A model behind an endpoint whose written answers are told part by part, while they come."""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from brewslm.models.constrained import Schema
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.prompt import Prompt


class StreamingPredictor(EndpointPredictor):
    """Asks as `EndpointPredictor` does; what it writes freely, or under a schema, comes as a stream.

    Args:
        on_text: Gets each part of the text, in order.

    Attributes:
        began, first, ended: Moments of a monotonic clock: the request went, its first part came, its last; None before.
        tokens: That were written, as the endpoint counts them; else one for each part.
    """

    def __init__(self, *args: Any, on_text: Callable[[str], None], **more: Any) -> None:
        super().__init__(*args, **more)
        self._on_text, self._writes = on_text, False
        self.began: float | None = None
        self.first: float | None = None
        self.ended: float | None = None
        self.tokens = 0

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: Schema | None = None) -> list[str]:
        """As there; the parts are told meanwhile."""
        self._writes = True
        try:
            return super().generate(prompts, max_new_tokens, schema)
        finally:
            self._writes = False

    def _asked(self, prompt: Prompt, max_tokens: int, **more: Any) -> Any:
        if not self._writes:
            return super()._asked(prompt, max_tokens, **more)
        messages: Any = list(prompt.messages)
        self.began, self.first, parts, usage, stop = time.monotonic(), None, [], None, "stop"
        stream: Any = self._client.chat.completions.create(
            model=self._model, messages=messages, temperature=0.0, max_tokens=max_tokens, stream=True,
            stream_options={"include_usage": True}, **more,
        )  # fmt: skip
        for event in stream:
            usage = event.usage or usage
            for choice in event.choices[:1]:
                stop = choice.finish_reason or stop
                if text := choice.delta.content:
                    self.first = self.first or time.monotonic()
                    parts.append(text)
                    self._on_text(text)
        self.ended = time.monotonic()
        self.tokens = usage.completion_tokens if usage else len(parts)
        message = SimpleNamespace(content="".join(parts))
        choices = [SimpleNamespace(message=message, finish_reason=stop, logprobs=None)]
        return SimpleNamespace(choices=choices, usage=usage)

    @property
    def tokens_per_second(self) -> float | None:
        """After the first token; None of an answer of one."""
        if self.first is None or self.ended is None or self.tokens < 2 or self.ended <= self.first:
            return None
        return (self.tokens - 1) / (self.ended - self.first)
