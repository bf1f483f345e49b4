"""A language model elsewhere that judges answers: asked over the OpenAI protocol, within limits of time and tries."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
PARALLEL = 4
TRIES = 3
"""Of each question: for an answer that can't be used, and for a server that fails."""
GIVE_UP_AFTER = 4
"""Questions in a row that came to nothing, while none was answered: then the judge is not there."""
PAUSE_SECONDS = 0.25
"""Before the second try; twice as long before the third."""
MAX_TOKENS = 512


class JudgeUnavailable(Exception):
    """The judge can't be used: what was measured, without any row's text."""


class Judge:
    """A judge at an OpenAI-compatible address, at temperature 0.

    A server that takes no JSON schema (or no temperature) says so with status 400, and is asked without them from then on.

    Args:
        url: Up to and with "/v1".
        model: The name that it answers to.
        key: Its API key; "" for none.
        call_seconds: The longest wait for one answer's next byte.
        seconds: The longest that all of it may take, however slowly bytes come.
    """

    def __init__(self, url: str, model: str, key: str, call_seconds: float, seconds: float) -> None:
        from openai import OpenAI

        self._client = OpenAI(base_url=url, api_key=key or "none", timeout=call_seconds, max_retries=0)
        self.host, self.model, self._seconds = urlsplit(url).netloc, model, seconds
        self._ends = time.monotonic() + seconds
        self._plain = False
        self._over = threading.Event()
        self.calls = 0

    def ask(
        self,
        questions: Sequence[list[dict[str, str]]],
        schema: dict[str, Any],
        read: Callable[[str], T | None],
        check: Callable[[], None] = lambda: None,
    ) -> list[T | None]:
        """Each question's answer, some at a time; None for one that gave no answer that `read` could use.

        Args:
            schema: Of the answer.
            read: An answer's text as what it means; None where it means nothing.
            check: Called a few times a second; what it raises ends the asking.

        Raises:
            JudgeUnavailable: It refused, too many questions came to nothing, or the time is over.
        """
        asking = _Asking(self, questions, schema, read)
        threads = [threading.Thread(target=asking.work, daemon=True) for _ in range(min(PARALLEL, len(questions)))]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                next(thread for thread in threads if thread.is_alive()).join(min(0.2, max(0.0, self._left())))
                check()
                if self._left() <= 0:
                    last = f"; the last trouble: {asking.trouble}" if asking.trouble else ""
                    raise JudgeUnavailable(f"it was not done within {self._seconds:g} s{last}")
        except BaseException:
            self.close()  # a server that sends a byte now and then would keep its thread for ever
            raise
        if asking.refused:
            raise JudgeUnavailable(asking.refused)
        return asking.answers

    def close(self) -> None:
        """End every request that still waits."""
        self._over.set()
        self._client.close()

    def said(self, messages: list[dict[str, str]], schema: dict[str, Any]) -> str:
        """One answer's text, asked once."""
        from openai import BadRequestError

        self.calls += 1
        asked: Any = {"model": self.model, "messages": messages}
        named = {"name": "verdict", "strict": True, "schema": schema}
        more: Any = {
            "temperature": 0.0,
            "max_tokens": MAX_TOKENS,
            "response_format": {"type": "json_schema", "json_schema": named},
        }
        plain = self._plain  # as this request is made: another thread may learn meanwhile that the server wants it so
        try:
            answer = self._client.chat.completions.create(**asked, **({} if plain else more))
        except BadRequestError:
            if plain:
                raise
            self._plain = True
            answer = self._client.chat.completions.create(**asked)
        return (answer.choices[0].message.content or "") if answer.choices else ""

    def wait(self, seconds: float) -> bool:
        """Wait before another try; False when the time is over."""
        return not self._over.wait(min(seconds, max(0.0, self._left()))) and self._left() > 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is asked."""
        return self._over.is_set() or self._left() <= 0

    def _left(self) -> float:
        return self._ends - time.monotonic()


class _Asking:
    """Questions on their way, shared by the threads that ask them."""

    def __init__(
        self,
        judge: Judge,
        questions: Sequence[list[dict[str, str]]],
        schema: dict[str, Any],
        read: Callable[[str], Any],
    ) -> None:
        self._judge, self._questions, self._schema, self._read = judge, questions, schema, read
        self._lock = threading.Lock()
        self._next = self._failed = 0
        self._any = False
        self.answers: list[Any] = [None] * len(questions)
        self.refused = self.trouble = ""

    def work(self) -> None:
        """Ask one question after another until there is none, or no use in asking."""
        while not self.refused and not self._judge.is_over:
            with self._lock:
                place, self._next = self._next, self._next + 1
            if place >= len(self._questions):
                return
            self._ask(place)

    def _ask(self, place: int) -> None:
        why = ""
        for number in range(TRIES):
            if number and not self._judge.wait(PAUSE_SECONDS * 2 ** (number - 1)):
                return
            found, why, is_final = self._tried(place)
            if found is not None:
                with self._lock:
                    self.answers[place], self._any = found, True
                return
            self.trouble = why
            if self.refused:
                return
            if is_final:
                self.refused = self.refused or why
                return
        with self._lock:
            self._failed += 1
            if self._failed >= GIVE_UP_AFTER and not self._any:
                self.refused = self.refused or why

    def _tried(self, place: int) -> tuple[Any, str, bool]:
        """One try: the answer or None, why not, and whether another would be of use."""
        import openai

        try:
            said = self._judge.said(self._questions[place], self._schema)
        except openai.APITimeoutError:
            return None, "it did not answer in time", False
        except openai.APIConnectionError:
            return None, "it can't be reached", False
        except openai.APIStatusError as error:
            can_pass = error.status_code in (408, 409, 429) or error.status_code >= 500
            return None, f"it answered with status {error.status_code}", not can_pass
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, IndexError, RuntimeError):
            # what is no completion at all, or a client that was closed because the time was over
            return None, "it answered what is no chat completion", False
        found = self._read(said)
        return found, "" if found is not None else "it answered what is no verdict", False
