"""Answers that can be nothing but JSON of a schema: at each token, only those that keep to it may be chosen (llguidance)."""

import json
from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]
"""A JSON schema of objects, arrays, enumerations, strings and null."""
_COMPACT: Any = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}


class Held:
    """One answer's way through a schema.

    An answer that has had its tokens is brought to a close: whatever is open is closed as soon as the schema lets it.

    Args:
        end: The id of the token that ends an answer.
        size: Of the vocabulary, as the model's scores have it.
        max_new_tokens: After how many tokens it is closed; `closing_room` more are enough for that.
    """

    def __init__(self, tokenizer: Any, schema: Schema, end: int, size: int, max_new_tokens: int) -> None:
        self._matcher, self._end, self._size, self._most = _matcher(tokenizer, schema, end, size), end, size, max_new_tokens
        self._closers = [end, *_ids(tokenizer, ('"', "]", "}"))]
        self._written = 0

    @property
    def full(self) -> bool:
        """Nothing can follow but the end mark."""
        return bool(self._matcher.is_stopped())

    def allowed(self) -> Any:
        """Which tokens may come next: (size,) of booleans."""
        return _allowed(self._matcher, self._size, self._end, self._closers if self._written >= self._most else [])

    def wrote(self, token: int) -> None:
        """Take the token that was chosen."""
        self._written += 1
        if not self._matcher.is_stopped():
            self._matcher.consume_token(token)


def processor(tokenizer: Any, schema: Schema, end: int, max_new_tokens: int) -> Any:
    """What transformers' `generate` calls at each token of a batch: see `Held`, whose words these are."""
    from transformers import LogitsProcessor

    class KeepsToSchema(LogitsProcessor):  # type: ignore[misc]
        """One matcher for each answer of the batch."""

        def __init__(self) -> None:
            self._held: list[Held] = []

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            """The scores, with -inf for each token that the schema does not allow here."""
            if not self._held:
                self._held = [Held(tokenizer, schema, end, scores.shape[-1], max_new_tokens) for _ in range(len(scores))]
            else:
                for held, last in zip(self._held, input_ids[:, -1].tolist(), strict=True):
                    held.wrote(last)
            return masked(scores, self._held)

    return KeepsToSchema()


def compact(value: Any) -> str:
    """JSON as an answer is to be written: without white space, and with DEL escaped, which llguidance forbids as it stands."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("\x7f", "\\u007f")


def closing_room(schema: Schema) -> int:
    """Tokens that are enough to close an answer wherever it stands: the least document, character by character, and the end."""
    return 2 * _least(schema) + 4


def _least(schema: Schema) -> int:
    if "enum" in schema:
        return max(len(str(value)) for value in schema["enum"]) + 2
    if "anyOf" in schema:
        return max(_least(one) for one in schema["anyOf"])
    if "properties" in schema:
        return 2 + sum(len(name.encode()) + 4 + _least(one) for name, one in schema["properties"].items())
    if "items" in schema:
        return 2 + _least(schema["items"])
    return 8  # "null", or a string that is closed in the middle of an escape


def masked(scores: Any, held: Sequence[Held]) -> Any:
    """The scores of each answer's next token, (answers, size), with -inf for what its schema does not allow."""
    import numpy as np
    import torch

    mask = torch.from_numpy(np.stack([one.allowed() for one in held])).to(scores.device)
    return scores.masked_fill(~mask, float("-inf"))


def _allowed(matcher: Any, size: int, end: int, closers: Sequence[int]) -> Any:
    """Which tokens may come next: (size,) of booleans. Only the first of `closers` that is among them, where one is."""
    import numpy as np

    allowed = np.zeros(size, bool)
    if matcher.is_stopped():
        allowed[end] = True
        return allowed
    bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")[:size].astype(bool)
    allowed[: len(bits)] = bits
    closer = next((token for token in closers if allowed[token]), None)
    if closer is not None:
        allowed[:] = False
        allowed[closer] = True
    return allowed


def _matcher(tokenizer: Any, schema: Schema, end: int, size: int) -> Any:
    from llguidance import LLMatcher

    grammar = LLMatcher.grammar_from_json_schema(schema, overrides=_COMPACT)
    matcher = LLMatcher(_guidance(tokenizer, end, size), grammar)
    if matcher.is_error():
        raise ValueError(f"the schema can't be kept to: {matcher.get_error()}")
    return matcher


def _guidance(tokenizer: Any, end: int, size: int) -> Any:
    """llguidance's own view of the tokenizer, made once: it takes about a second."""
    kept = getattr(tokenizer, "_brewslm_guidance", None)
    if kept is None:
        from llguidance.hf import from_tokenizer

        kept = tokenizer._brewslm_guidance = from_tokenizer(tokenizer, n_vocab=size, eos_token=end)
    return kept


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """The token of each text that is one: a quote first, for in a string the brackets are text."""
    found = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    return [ids[0] for ids in found if len(ids) == 1]
