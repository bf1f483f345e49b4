"""How many tokens of a base model texts are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

_BATCH = 256
"""Texts that are encoded at once: the tokens of a whole book need not be held to count them."""


class Tokens:
    """Counts with the base model's own tokenizer.

    Args:
        path: Its tokenizer.json.
    """

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def counts(self, texts: Sequence[str]) -> Iterator[int]:
        """Tokens of each text, without the marks that a model puts around it."""
        for start in range(0, len(texts), _BATCH):
            yield from map(len, self._tokenizer.encode_batch_fast(list(texts[start : start + _BATCH]), add_special_tokens=False))
