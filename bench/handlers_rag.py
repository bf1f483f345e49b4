"""Questions with passages for `rag_qa`, made of `sample:support-qa`: its entries are the passages, as of a list of answers.

Each question comes twice. Once with a true context: its own entry among two others of the category. Once with a missing one
(entries of other categories) or a misleading one (those entries of its category that are nearest by words, but not its own): then
it is to be answered by the fixed sentence, and `answerable` says so. Held out are whole categories (`--group-by category`).
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

SEED = 20261203
PER_CATEGORY = 150
LONGEST = 80
"""Characters of a question, and of an answer."""
PASSAGES = 3
MAPPER = "rag_passthrough"
MAPPED = {name: name for name in ("question", "context", "answer", "answerable")}
PREPARE = ("--group-by", "category", "--train-rows", "600", "--dev-rows", "30", "--eval-rows", "150")
SETTINGS = {"epochs": "2", "batch_size": "8"}
"""Of the recipe."""
ASKED = ("{}", "Please tell me: {}", "A customer asks: {}", "I want to know this. {}", "{} Thanks.", "Quick question: {}")

Entry = tuple[str, str, str]
"""(category, question, answer)."""


def rows(folder: Path) -> Path:
    """The rows as JSON lines in the folder: question, context, answer, answerable, category, kind."""
    path = folder / "rag.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in made(entries())))
    return path


def entries() -> list[Entry]:
    """Short entries of the sample, each question once."""
    from brewslm.sources.sample import SampleConnector

    found: dict[str, Entry] = {}
    counts: dict[str, int] = {}
    for line in SampleConnector().file("support-qa").read_bytes().splitlines():
        row: Any = orjson.loads(line)
        if not isinstance(row, dict):
            continue
        question, answer, category = (" ".join(row[name].split()) for name in ("question", "answer", "category"))
        if (
            question in found
            or not 4 <= len(answer) <= LONGEST
            or len(question) > LONGEST
            or counts.get(category, 0) >= PER_CATEGORY
        ):
            continue
        counts[category] = counts.get(category, 0) + 1
        found[question] = (category, question, answer)
    return [entry for entry in found.values() if counts[entry[0]] > 2 * PASSAGES]


def made(entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """Two rows of each entry, worded in two ways."""
    chance = random.Random(SEED)
    for number, entry in enumerate(entries):
        for kind, asked in zip(("true", ("missing", "misleading")[number % 2]), chance.sample(ASKED, 2), strict=True):
            passages = passages_of(kind, entry, entries, chance)
            chance.shuffle(passages)
            yield {
                "question": asked.format(entry[1]),
                "context": [f"{question} {answer}" for _, question, answer in passages],
                "answer": entry[2] if kind == "true" else "",
                "answerable": kind == "true",
                "category": entry[0],
                "kind": kind,
            }


def passages_of(kind: str, entry: Entry, entries: list[Entry], chance: random.Random) -> list[Entry]:
    """As many passages: "true" holds the entry's own, "missing" and "misleading" don't."""
    if kind == "true":
        return [entry, *_others(entry, entries, chance)[1:]]
    if kind == "missing":
        return chance.sample([one for one in entries if one[0] != entry[0]], PASSAGES)
    words = set(entry[1].lower().split())
    near = sorted(_others(entry, entries, chance, 10**6), key=lambda one: -len(words & set(one[1].lower().split())))
    return near[:PASSAGES]


def _others(entry: Entry, entries: list[Entry], chance: random.Random, most: int = PASSAGES) -> list[Entry]:
    """Other entries of the category whose answers are others too."""
    others = [one for one in entries if one[0] == entry[0] and one is not entry and one[2] != entry[2]]
    return chance.sample(others, min(most, len(others)))
