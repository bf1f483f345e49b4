"""Tokens with BIO tags, for `structured_extraction` scored as a set of spans."""

import re
from collections.abc import Sequence
from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused, as_list
from brewslm.rows import RowReason

BIO_TAG = re.compile(r"^(?:O|([BILEUS])-(.+))$")
"""BIO, BILOU (last, unit) and IOBES (end, single): a mark, and after the first hyphen the type, which may have more."""
_WORD = re.compile(r"\S+")
_BEGINS, _ENDS = frozenset("BUS"), frozenset("LEUS")

Place = tuple[int, int]
"""Where a token begins and ends in its text, in characters."""


class BioToSpans(Mapper):
    """Token and tag lists → {text, entities_json}: each entity's text is exactly text[start:end].

    A tag that continues nothing begins a span, as in IOB1. A CSV cell may hold a list as JSON or as Python writes it, or
    words between spaces: such a text stays as it is, and has to have as many words as there are tags.
    """

    id = "bio_to_spans"
    task_profile = "structured_extraction"
    meaning = "A column of token lists and a column of BIO, BILOU or IOBES tag lists."
    fields = {
        "tokens": Field(("tokens", "words", "token", "sentence_words"), "The tokens of a text, in order."),
        "labels": Field(("labels", "ner_tags", "tags", "bio_tags", "ner", "entities"), "One tag a token."),
        "trailing_whitespace": Field(
            ("trailing_whitespace",), "Whether a space follows each token; without it one stands between them.", required=False
        ),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Put the text together, and the spans out of their tags."""
        found = self._text(values)
        if isinstance(found, Refused):
            return found
        text, places = found
        labels = as_items(self.value(values, "labels"))
        if labels is None:
            return Refused(RowReason.MISSING_LABELS)
        if len(labels) != len(places):
            return Refused(RowReason.LENGTH_MISMATCH, f"{len(places)} tokens, {len(labels)} labels")
        tags = [BIO_TAG.match(label) if isinstance(label, str) else None for label in labels]
        if None in tags:
            said = str(labels[tags.index(None)])[:40]
            return Refused(RowReason.INVALID_TAG, f"tag {said!r} is neither O nor a mark and a type, such as B-<type>")
        if not text.strip():
            return Refused(RowReason.EMPTY_TEXT)
        kinds = [(tag[1], tag[2]) for tag in tags if tag is not None]
        return {"text": text, "entities_json": {"entities": _entities(text, places, kinds)}}

    def _text(self, values: dict[str, Any]) -> tuple[str, list[Place]] | Refused:
        found = self.value(values, "tokens")
        if is_words(found):
            return found, [match.span() for match in _WORD.finditer(found)]
        tokens = as_list(found)
        if not tokens or not all(isinstance(token, str) for token in tokens):
            return Refused(RowReason.MISSING_TOKENS)
        spaces = as_list(self.value(values, "trailing_whitespace")) if "trailing_whitespace" in self.columns else None
        if spaces is not None and len(spaces) != len(tokens):
            return Refused(RowReason.LENGTH_MISMATCH, f"{len(tokens)} tokens, {len(spaces)} entries of trailing_whitespace")
        return joined(tokens, spaces or [*[True] * (len(tokens) - 1), False])


def is_words(value: Any) -> bool:
    """Whether a cell is words between spaces: a text that does not begin as a list does."""
    return isinstance(value, str) and value.strip() != "" and not value.lstrip().startswith("[")


def as_items(value: Any) -> list[Any] | None:
    """A list, or the words of a cell; None for neither."""
    return value.split() if is_words(value) else as_list(value)


def joined(tokens: Sequence[str], spaces: Sequence[Any]) -> tuple[str, list[Place]]:
    """The text of some tokens, and where each begins and ends in it."""
    parts: list[str] = []
    places: list[Place] = []
    at = 0
    for token, space in zip(tokens, spaces, strict=True):
        places.append((at, at + len(token)))
        parts.append(f"{token} " if space else token)
        at += len(parts[-1])
    return "".join(parts), places


def _entities(text: str, places: list[Place], kinds: list[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    spans: list[tuple[str, int, int]] = []
    open_kind: str | None = None
    for (start, end), (mark, kind) in zip(places, kinds, strict=True):
        if mark is None or kind is None:
            open_kind = None
            continue
        if mark not in _BEGINS and kind == open_kind:
            spans[-1] = (kind, spans[-1][1], end)
        else:
            spans.append((kind, start, end))
        open_kind = None if mark in _ENDS else kind
    return [
        {"type": kind, "start": start, "end": end, "text": text[start:end]}
        for kind, start, end in spans
        if text[start:end].strip()
    ]
