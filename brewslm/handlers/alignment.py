"""From what a model wrote to spans of the text: the model names type and words, code finds the offsets."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from brewslm.metrics.spans import Span
from brewslm.models.constrained import compact

_DECODER = json.JSONDecoder()


def written(spans: Sequence[Span]) -> str:
    """Spans as the model should write them: a compact JSON list of type and text, in the order of the text."""
    ordered = sorted(spans, key=lambda span: (span["start"], span["end"]))
    listed = [{"type": span["type"], "text": span["text"]} for span in ordered]
    return compact(listed)


def read(raw: str) -> tuple[list[dict[str, str]], Counter[str]]:
    """The {type, text} objects of an answer, and what was wrong with it.

    Problems: `invalid_json` (the answer is no JSON list; the whole objects it begins with are kept), `malformed` (an entry
    that is not an object with a type and a text).
    """
    problems: Counter[str] = Counter()
    try:
        entries = json.loads(raw)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        problems["invalid_json"] += 1
        entries = list(_whole_objects(raw))
    good = [entry for entry in entries if _is_entity(entry)]
    if len(good) < len(entries):
        problems["malformed"] += len(entries) - len(good)
    return [{"type": entry["type"], "text": entry["text"]} for entry in good], problems


def _whole_objects(raw: str) -> Iterator[Any]:
    """The leading objects of a list that was cut off or went wrong later on."""
    rest = raw.lstrip()
    if not rest.startswith("["):
        return
    rest = rest[1:].lstrip()
    while rest.startswith("{"):
        try:
            entry, end = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError):
            return
        yield entry
        rest = rest[end:].lstrip().removeprefix(",").lstrip()


def _is_entity(entry: Any) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) and entry[key] for key in ("type", "text"))


def align(text: str, entities: Sequence[dict[str, str]]) -> tuple[list[Span], int]:
    """Give each entity the offsets of its words in the text.

    An entity is looked for after the one before it, then anywhere; whole words first, so that "E" is not found inside "Elm".
    No place is used twice, nor do two spans overlap.

    Returns:
        The spans in the order of the text, and how many entities could not be placed.
    """
    spans: list[Span] = []
    after = unaligned = 0
    for entity in entities:
        start = _place(text, entity["text"], after, spans)
        if start is None:
            unaligned += 1
            continue
        after = start + len(entity["text"])
        spans.append({"type": entity["type"], "start": start, "end": after, "text": entity["text"]})
    return sorted(spans, key=lambda span: int(span["start"])), unaligned


def _place(text: str, words: str, after: int, taken: Sequence[Span]) -> int | None:
    exact = re.escape(words)
    for begin in (after, 0):
        for pattern in (rf"(?<!\w){exact}(?!\w)", exact):
            for found in re.compile(pattern).finditer(text, begin):
                if all(found.end() <= span["start"] or span["end"] <= found.start() for span in taken):
                    return found.start()
    return None
