"""Whether a passage says what an answer says: by their words, or by how near their sentences are as vectors.

Neither looks at what is meant: a denial has nearly the same words, and lies near what it denies. How far each agrees with labels
is measured by bench/faithfulness.py.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

Vectors = Callable[[Sequence[str]], Any]
"""Texts → (texts, dimensions) array, of unit length."""
NEAR = 0.577
"""From this cosine on a sentence is held to say what another says: chosen by bench/faithfulness.py."""

_SENTENCE_END = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"')\]]))\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"[^\W_]+")
_NOT_KNOWN = re.compile(
    r"^(?:(?:the|this) (?:context|text|passages?|documents?) (?:does|do|did)(?: not|n't) (?:say|contain|mention|answer)"
    r"|i (?:don't|do not) know|not (?:in|found in) the (?:context|text|passages?|documents?)"
    r"|no answer|unanswerable|not answerable)\b",
    re.IGNORECASE,
)


def content_words(text: str) -> set[str]:
    """The words of a text in lower case, without scikit-learn's English stop words; all of them where it has no others.

    In another language every word counts, which makes `support` stricter.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = {word.lower() for word in _WORD.findall(text)}
    return words - ENGLISH_STOP_WORDS or words


def support(answer: str, passage: str) -> float:
    """The share of the answer's content words that stand in the passage; 0 for an answer without words."""
    words = content_words(answer)
    held = {word.lower() for word in _WORD.findall(passage)}
    return len(words & held) / len(words) if words else 0.0


def says_not_known(answer: str, fixed: str) -> bool:
    """Whether an answer is none: empty, the fixed sentence, or one that begins as such answers do."""
    plain = answer.replace("\u2019", "'").strip()
    return not plain or plain.rstrip(".").lower() == fixed.rstrip(".").lower() or bool(_NOT_KNOWN.match(plain))


def sentences(text: str) -> list[str]:
    """The sentences of a text, as its end marks and lines part them; [] of one without words."""
    parts = (part.strip() for part in _SENTENCE_END.split(text))
    return [part for part in parts if _WORD.search(part)]


def nearest_sentences(pairs: Sequence[tuple[str, str]], vectors: Vectors) -> list[list[float]]:
    """For each (answer, passage): of each sentence of the answer the cosine of the passage's sentence that is nearest to it.

    Each sentence is made a vector once, however many pairs have it. [] of an answer without words; 0 where the passage has none.
    """
    split = [(sentences(answer), sentences(passage)) for answer, passage in pairs]
    every = list(dict.fromkeys(one for both in split for side in both for one in side))
    if not every:
        return [[] for _ in pairs]
    known, place = vectors(every), {one: number for number, one in enumerate(every)}
    found = []
    for claims, said in split:
        ours, theirs = (known[[place[one] for one in side]] for side in (claims, said))
        found.append((ours @ theirs.T).max(axis=1).tolist() if said and claims else [0.0] * len(claims))
    return found
