"""One answer of a causal model, token by token: for a server that streams, samples, and stops where it is told to."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

from brewslm.models.constrained import Schema, closing_room, processor
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, prompt_ids, text_ids

Finish = Literal["stop", "length"]
_INCOMPLETE = "\ufffd"
"""What a decoder shows of a character whose bytes are not all there yet."""


@dataclass(frozen=True)
class Wish:
    """How an answer shall be written.

    Attributes:
        most: Tokens at most.
        temperature: 0 always takes the most probable token.
        stop: Texts before which the answer ends.
        schema: A JSON schema that it keeps to.
    """

    most: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: Schema | None = None


@dataclass
class Answer:
    """What has been written so far.

    Attributes:
        tokens: How many, the end mark too.
        finish: Known when it is over.
    """

    tokens: int = 0
    finish: Finish = "length"


@dataclass
class _Ids:
    """Where `generate` puts the tokens that it makes, and is told to end."""

    queue: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    over: threading.Event = field(default_factory=threading.Event)
    begun: bool = False

    def put(self, ids: Any) -> None:
        if self.begun:  # the first that it puts are those of the prompt
            self.queue.put(int(ids.reshape(-1)[0]))
        self.begun = True

    def end(self) -> None:
        """The streamer's own end; `_write` says it, also where something was raised."""


class Writer:
    """A model that is asked one thing at a time.

    Args:
        model: A causal language model of transformers, in eval mode.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer
        self.end = end_token_id(tokenizer)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        config = self._model.config.get_text_config(decoder=True)
        return int(getattr(config, "max_position_embeddings", 0) or 2**20)

    def chat_ids(self, messages: Sequence[dict[str, Any]]) -> list[int]:
        """The ids of a talk, with the mark after which the model answers.

        Raises:
            StageError(TemplateUnusable): The chat template can't write these messages.
        """
        return prompt_ids(self._tokenizer, Prompt(tuple(messages), plain=""))

    def text_ids(self, text: str) -> list[int]:
        """The ids of a plain text."""
        return text_ids(self._tokenizer, text)

    def text(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens left out."""
        said: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return said

    def write(self, ids: list[int], wish: Wish, answer: Answer) -> Iterator[str]:
        """The answer to a prompt of these ids, in parts; `answer` is kept up to date. Closing the iterator ends the work."""
        written: list[int] = []
        told = ""
        for token in self._tokens(ids, wish):
            answer.tokens += 1
            if token == self.end:
                answer.finish = "stop"
                break
            written.append(token)
            text = self.text(written)
            cut = min((text.find(one) for one in wish.stop if one in text), default=-1)
            if cut >= 0:
                answer.finish = "stop"
                yield text[len(told) : cut]
                return
            safe = len(text) - _held_back(text, wish.stop)
            if safe > len(told):
                yield text[len(told) : safe]
                told = text[:safe]
        rest = self.text(written)[len(told) :]
        if rest:
            yield rest

    def first_tokens(self, ids: list[int], most: int) -> list[tuple[int, float]]:
        """The most probable tokens, one after another, with their log-probabilities: up to the end mark or so many."""
        import torch

        with torch.inference_mode():
            out = self._model.generate(
                **self._given(ids), generation_config=self._config(Wish(most)), return_dict_in_generate=True, output_logits=True
            )
            chosen = out.sequences[0, len(ids) :].tolist()
            shares = [step[0].float().log_softmax(-1) for step in out.logits]
        return [(token, share[token].item()) for token, share in zip(chosen, shares, strict=True)]

    def _tokens(self, ids: list[int], wish: Wish) -> Iterator[int]:
        """The tokens as they are chosen, by a thread that ends when nobody takes them any more."""
        made = _Ids()
        thread = threading.Thread(target=self._write, args=(ids, wish, made), name="writer", daemon=True)
        thread.start()
        try:
            while True:
                found = made.queue.get()
                if found is None:
                    return
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            made.over.set()
            thread.join()

    def _write(self, ids: list[int], wish: Wish, made: _Ids) -> None:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Over(StoppingCriteria):  # type: ignore[misc]
            """Nobody takes the tokens any more."""

            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                return torch.full((input_ids.shape[0],), made.over.is_set(), dtype=torch.bool)

        try:
            if wish.seed is not None:
                torch.manual_seed(wish.seed)
            with torch.inference_mode():
                self._model.generate(
                    **self._given(ids), generation_config=self._config(wish), streamer=made, logits_processor=self._keeps(wish),
                    stopping_criteria=StoppingCriteriaList([Over()]),
                )  # fmt: skip
            made.queue.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again, by whoever takes the tokens
            made.queue.put(error)

    def _given(self, ids: list[int]) -> dict[str, Any]:
        import torch

        given = torch.tensor([ids])
        return {"input_ids": given, "attention_mask": torch.ones_like(given)}

    def _config(self, wish: Wish) -> Any:
        from transformers import GenerationConfig

        room = closing_room(wish.schema) if wish.schema else 0
        ends = {"eos_token_id": self.end, "pad_token_id": self.end}
        if wish.temperature == 0:
            return GenerationConfig(max_new_tokens=wish.most + room, do_sample=False, **ends)
        return GenerationConfig(
            max_new_tokens=wish.most + room, do_sample=True, temperature=wish.temperature, top_p=wish.top_p, top_k=0, **ends
        )

    def _keeps(self, wish: Wish) -> list[Any]:
        return [processor(self._tokenizer, wish.schema, self.end, wish.most)] if wish.schema else []


def _held_back(text: str, stop: Sequence[str]) -> int:
    """Characters at the end that must wait: of a character that is not whole, or that a stop text may begin with."""
    cut = len(text) - len(text.rstrip(_INCOMPLETE))
    starts = (one[:length] for one in stop for length in range(len(one) - 1, 0, -1))
    return max((len(start) for start in starts if text.endswith(start)), default=cut)
