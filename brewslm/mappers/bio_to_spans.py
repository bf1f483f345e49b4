"""Tokens with BIO tags, for `structured_extraction` scored as a set of spans."""

import re
from typing import Any

from brewslm.mappers.base import Field, Mapper, Refused, as_list
from brewslm.rows import RowReason

BIO_TAG = re.compile(r"^(?:O|([BI])-(.+))$")


class BioToSpans(Mapper):
    """Token and tag lists → {text, entities_json}: each entity's text is exactly text[start:end].

    An I- tag that continues nothing begins a span, as in IOB1.
    """

    id = "bio_to_spans"
    task_profile = "structured_extraction"
    meaning = "A column of token lists and a column of BIO tag lists."
    fields = {
        "tokens": Field(("tokens", "words"), "The tokens of a text, in order."),
        "labels": Field(("labels", "ner_tags", "tags"), "One BIO tag a token."),
        "trailing_whitespace": Field(
            ("trailing_whitespace",), "Whether a space follows each token; without it one always does.", required=False
        ),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Put the text together, and the spans out of their tags."""
        tokens, labels = as_list(self.value(values, "tokens")), as_list(self.value(values, "labels"))
        if not tokens or not all(isinstance(token, str) for token in tokens):
            return Refused(RowReason.MISSING_TOKENS)
        if labels is None:
            return Refused(RowReason.MISSING_LABELS)
        spaces = as_list(self.value(values, "trailing_whitespace")) if "trailing_whitespace" in self.columns else None
        if len(labels) != len(tokens) or (spaces is not None and len(spaces) != len(tokens)):
            return Refused(RowReason.LENGTH_MISMATCH, f"{len(tokens)} tokens, {len(labels)} labels")
        tags = [BIO_TAG.match(label) if isinstance(label, str) else None for label in labels]
        if None in tags:
            return Refused(RowReason.INVALID_TAG, f"tag {str(labels[tags.index(None)])[:40]!r} is not O, B-<type> or I-<type>")
        text, places = joined(tokens, spaces or [True] * len(tokens))
        if not text.strip():
            return Refused(RowReason.EMPTY_TEXT)
        kinds = [(tag[1], tag[2]) for tag in tags if tag is not None]
        return {"text": text, "entities_json": {"entities": _entities(text, places, kinds)}}


def joined(tokens: list[str], spaces: list[Any]) -> tuple[str, list[tuple[int, int]]]:
    """The text of some tokens, and where each begins and ends in it."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    for token, space in zip(tokens, spaces, strict=True):
        places.append((at, at + len(token)))
        parts.append(f"{token} " if space else token)
        at += len(parts[-1])
    return "".join(parts).rstrip(), places


def _entities(text: str, places: list[tuple[int, int]], kinds: list[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    spans: list[tuple[str, int, int]] = []
    before: str | None = None
    for (start, end), (mark, kind) in zip(places, kinds, strict=True):
        if kind is not None and mark == "I" and kind == before:
            spans[-1] = (kind, spans[-1][1], end)
        elif kind is not None:
            spans.append((kind, start, end))
        before = kind
    return [
        {"type": kind, "start": start, "end": min(end, len(text)), "text": text[start:end]}
        for kind, start, end in spans
        if text[start:end].strip()
    ]
