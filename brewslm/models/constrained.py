"""Answers that can be nothing but JSON of a schema: at each token, only those that keep to it may be chosen (llguidance)."""

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]
"""A JSON schema of objects, arrays, enumerations, strings and null."""
_COMPACT: Any = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}


def processor(tokenizer: Any, schema: Schema, end: int, max_new_tokens: int) -> Any:
    """What transformers' `generate` calls at each token of a batch.

    Near the end of its tokens an answer is brought to a close: whatever is open is closed as soon as the schema lets it.

    Args:
        end: The id of the token that ends an answer.
        max_new_tokens: How many tokens each answer may have.
    """
    from transformers import LogitsProcessor

    closers = [end, *_ids(tokenizer, ('"', "]", "}"))]
    reserve = min(closing_room(schema), max_new_tokens)

    class KeepsToSchema(LogitsProcessor):  # type: ignore[misc]
        """One matcher for each answer of the batch."""

        def __init__(self) -> None:
            self._matchers: list[Any] = []
            self._written = 0

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            """The scores, with -inf for each token that the schema does not allow here."""
            if not self._matchers:
                self._matchers = [_matcher(tokenizer, schema, end, scores.shape[-1]) for _ in range(len(scores))]
            elif self._written:
                for matcher, last in zip(self._matchers, input_ids[:, -1].tolist(), strict=True):
                    if not matcher.is_stopped():
                        matcher.consume_token(last)
            self._written += 1
            closing = closers if self._written > max_new_tokens - reserve else []
            return _masked(scores, [_allowed(matcher, scores.shape[-1], end, closing) for matcher in self._matchers])

    return KeepsToSchema()


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


def _masked(scores: Any, allowed: Sequence[Any]) -> Any:
    import numpy as np
    import torch

    mask = torch.from_numpy(np.stack(allowed)).to(scores.device)
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
