"""Spans by what was marked in train: what knowing the words alone would find."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from brewslm.metrics.spans import Span

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Lexicon:
    """Phrases with the type that each had most often.

    Args:
        marked: The texts of spans, with their types.
    """

    def __init__(self, marked: Iterable[tuple[str, str]]) -> None:
        seen: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for text, kind in marked:
            seen[tuple(_TOKEN.findall(text))][kind] += 1
        self._types = {phrase: kinds.most_common(1)[0][0] for phrase, kinds in seen.items() if phrase}
        self._longest = max(map(len, self._types), default=0)

    def spans(self, text: str) -> list[Span]:
        """The known phrases of a text, from left to right, the longest first where several begin; none overlap."""
        tokens, found, at = list(_TOKEN.finditer(text)), [], 0
        while at < len(tokens):
            size = next((n for n in range(self._longest, 0, -1) if _phrase(tokens[at : at + n], n) in self._types), 0)
            if size:
                start, end = tokens[at].start(), tokens[at + size - 1].end()
                kind = self._types[_phrase(tokens[at : at + size], size)]
                found.append({"type": kind, "start": start, "end": end, "text": text[start:end]})
            at += size or 1
        return found


def _phrase(tokens: list[re.Match[str]], size: int) -> tuple[str, ...]:
    """The words of so many tokens; () where fewer are left."""
    return tuple(token[0] for token in tokens) if len(tokens) == size else ()
