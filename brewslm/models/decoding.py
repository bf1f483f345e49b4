"""Greedy answers to many prompts, token by token: as soon as one has ended, its place in the batch is the next prompt's."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from brewslm.models.constrained import Held, Schema, closing_room, masked
from brewslm.models.prompt import Stop

ROWS = 128
"""At most at once: a product of 128 rows takes less than one and a half times as long as one of 64, and the rest of a step, some
thousand small operations, as long."""
JOINING = 16
"""Prompts are computed so many together: a few would take half as long as these."""
CACHE_BYTES = 2**30
"""Keys and values of all rows take at most so much, where that leaves room for a few rows."""
FEWEST = 4
BLOCK = 1024
"""Of a vocabulary, when its likeliest token is sought."""


@dataclass(frozen=True)
class Written:
    """An answer.

    Attributes:
        place: Of its prompt among those that were asked.
        ids: Its tokens, without the end mark.
        seconds, latency_seconds: As of `prompt.Answered`.
    """

    place: int
    ids: list[int]
    stop: Stop
    seconds: float
    latency_seconds: float


@dataclass
class _Row:
    place: int
    prompt: list[int]
    began: float
    held: Held | None
    ids: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def cached(self) -> int:
        """Tokens whose keys and values are there: all but the last that was written."""
        return len(self.prompt) + len(self.ids) - 1


def likeliest(logits: Any) -> Any:
    """The first place of the greatest, as argmax says: (rows, vocabulary) → (rows,).

    torch's argmax goes through a row one by one, which takes a tenth of a step; its amax takes many at once. So the greatest of
    each block is sought first, and then its place in the first block that has it.
    """
    import torch

    best = torch.stack([part.amax(-1) for part in logits.split(BLOCK, -1)], -1).argmax(-1, keepdim=True)
    places = (best * BLOCK + torch.arange(BLOCK, device=logits.device)).clamp_(max=logits.shape[-1] - 1)
    return places.gather(1, logits.gather(1, places).argmax(-1, keepdim=True))[:, 0]


class Decoding:
    """One way to write answers.

    Args:
        model: A causal model whose every layer sees all that stands before, in eval mode.
        prefill: Computes prompts; gives their cache, and the logits after each: (prompts, vocabulary). In the cache stand the
            tokens that all prompts begin with, then what pads them, then their own.
        shared: How many tokens they all begin with.
        end: The id of the token that ends an answer.
        most: Tokens of an answer at most.
        is_over: Whether an answer that has not met its end mark is over nevertheless: a plain prompt's, at its line break.
    """

    def __init__(
        self, model: Any, tokenizer: Any, prefill: Callable[[list[list[int]]], tuple[Any, Any]], shared: int, end: int, most: int,
        schema: Schema | None = None, is_over: Callable[[list[int]], bool] | None = None,
    ) -> None:  # fmt: skip
        from brewslm.models.kernels.slots import Slots

        self._model, self._tokenizer, self._prefill, self._end = model, tokenizer, prefill, end
        self._shared, self._tokens, self._schema, self._is_over = shared, most, schema, is_over
        self._most = most + (closing_room(schema) if schema else 0)
        self._slots = Slots(ROWS)
        self._rows: list[_Row] = []

    def answers(self, prompts: Sequence[list[int]]) -> Iterator[list[Written]]:
        """The answers, in the order in which they end, some at a time."""
        # The longest first: whoever takes a place later is then not longer than those who are there.
        waiting = deque(sorted(range(len(prompts)), key=lambda place: len(prompts[place]), reverse=True))
        most = min(ROWS, max(FEWEST, CACHE_BYTES // self._bytes_of(len(prompts[waiting[0]]) + self._most))) if waiting else 0
        self._slots.size = most
        while waiting or self._rows:
            free = most - len(self._rows)
            if waiting and (not self._rows or free >= min(JOINING, len(waiting))):
                places = [waiting.popleft() for _ in range(min(JOINING, free, len(waiting)))]
                done = self._join(places, [prompts[place] for place in places])
            else:
                done = self._step()
            if done:
                yield done

    def _bytes_of(self, tokens: int) -> int:
        """That keys and values of so many tokens take."""
        config = self._model.config.get_text_config(decoder=True)
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * width * self._model.dtype.itemsize * tokens)

    def _join(self, places: list[int], prompts: list[list[int]]) -> list[Written]:
        began = time.monotonic()
        rows = [_Row(place, ids, began, None) for place, ids in zip(places, prompts, strict=True)]
        filled, logits = self._prefill(prompts)
        if self._schema:
            for row in rows:
                row.held = Held(self._tokenizer, self._schema, self._end, logits.shape[-1], self._tokens)
        done = self._take(rows, logits, began)
        staying = [number for number, row in enumerate(rows) if row.place not in {one.place for one in done}]
        if staying:
            self._slots.put(filled, self._shared, [(number, len(rows[number].prompt)) for number in staying])
            self._rows += [rows[number] for number in staying]
        return done

    def _step(self) -> list[Written]:
        import torch

        began = time.monotonic()
        edge = self._slots.edge
        starts = torch.tensor([edge - row.cached for row in self._rows])
        before = (torch.arange(edge + 1) < starts[:, None])[:, None, None]
        # Added to the scores: a mask of truths is turned into such a one in every layer.
        mask = torch.zeros(before.shape, dtype=self._model.dtype).masked_fill_(before, -torch.inf)
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.tensor([row.ids[-1:] for row in self._rows]),
                position_ids=(edge - starts)[:, None],
                attention_mask=mask, past_key_values=self._slots.cache, use_cache=True, logits_to_keep=1,
            ).logits[:, -1]  # fmt: skip
        longest = max(row.cached for row in self._rows) + 1
        self._slots.advance(longest)
        done = self._take(self._rows, logits, began)
        ended = {one.place for one in done}
        for slot in reversed(range(len(self._rows))):
            if self._rows[slot].place in ended:
                self._slots.drop(slot)
                last = self._rows.pop()
                if slot < len(self._rows):
                    self._rows[slot] = last
        return done

    def _take(self, rows: list[_Row], logits: Any, began: float) -> list[Written]:
        """Let each row write its likeliest token; those that are over by it."""
        if self._schema:
            logits = masked(logits.float(), [row.held for row in rows if row.held])
        tokens = likeliest(logits).tolist()
        now = time.monotonic()
        over = []
        for row, token in zip(rows, tokens, strict=True):
            row.seconds += (now - began) / len(rows)
            stop = self._written(row, token)
            if stop:
                over.append(Written(row.place, row.ids, stop, row.seconds, now - row.began))
        return over

    def _written(self, row: _Row, token: int) -> Stop | None:
        if token == self._end:
            return "schema" if row.held and row.held.full else "end"
        row.ids.append(token)
        if row.held:
            row.held.wrote(token)
            if row.held.full:
                return "schema"
        if self._is_over and self._is_over(row.ids):
            return "line"
        return "limit" if len(row.ids) >= self._most else None
