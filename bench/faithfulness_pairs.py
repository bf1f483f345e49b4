"""Answers with passages, labelled by how they were made, of `sample:support-qa`: whether the passages say what the answer says.

Faithful: the entry's own answer, or the same reworded (short forms written out, words for others of the same meaning, a
phrase put before it), with the entry's own passage among two others of its category. Not faithful: the answer with the
misleading passages of bench/handlers_rag.py, or with those of other categories; and, with the true passages, its denial, or
the answer with one of its words taken from another entry. Each category is in one fold.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.handlers_rag import SEED, Entry, entries, passages_of

KINDS = {
    "as_it_is": True, "reworded": True, "misleading": False, "missing": False, "denied": False, "word_swapped": False,
}  # fmt: skip
"""Each kind of pair, and whether it is faithful."""
_SHORT = {
    "can't": "cannot", "don't": "do not", "doesn't": "does not", "didn't": "did not", "isn't": "is not", "aren't": "are not",
    "wasn't": "was not", "won't": "will not", "wouldn't": "would not", "i'm": "I am", "you're": "you are", "it's": "it is",
    "that's": "that is", "there's": "there is", "i've": "I have", "i'd": "I would", "i'll": "I will", "they're": "they are",
}  # fmt: skip
_OTHER_WORD = {
    "big": "large", "large": "big", "small": "little", "begin": "start", "start": "begin", "buy": "purchase", "help": "assist",
    "make": "create", "made": "created", "need": "require", "use": "employ", "show": "display", "many": "numerous", "also": "too",
    "often": "frequently", "usually": "normally", "very": "quite", "people": "persons", "country": "nation", "called": "named",
    "named": "called", "kind": "sort", "type": "kind", "movie": "film", "famous": "well-known", "smart": "clever",
    "think": "believe", "like": "enjoy", "want": "wish", "know": "understand", "talk": "speak",
    "money": "funds", "job": "work", "whole": "entire",
    "first": "earliest", "great": "excellent", "good": "fine", "hard": "difficult", "main": "chief", "part": "piece",
}  # fmt: skip
_BEFORE = ("", "As far as the passages go, ", "In short: ", "According to what is written, ")
_VERB = re.compile(r"\b(is|are|was|were|can|will|would|should|could|has|have|had|do|does|did|am)\b(?! not|n't)", re.IGNORECASE)
_DENIAL = re.compile(r"\b(can't|won't|cannot|not|never)\b|n't\b", re.IGNORECASE)
_AFFIRMED = {"can't": "can", "cannot": "can", "won't": "will"}
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]{3,}")


@dataclass(frozen=True)
class Pair:
    """An answer with a context."""

    kind: str
    category: str
    answer: str
    context: str

    @property
    def faithful(self) -> bool:
        """By how it was made."""
        return KINDS[self.kind]


def pairs(seed: int = SEED) -> list[Pair]:
    """Of each entry one faithful pair and one that is not, the kinds taking turns."""
    known = entries()
    chance = random.Random(seed)
    return list(_made(known, chance))


def folds(found: Sequence[Pair], count: int = 5, seed: int = SEED) -> list[list[int]]:
    """The places of the pairs in so many folds, each category in one of them; the largest categories are dealt out first."""
    sizes = Counter(pair.category for pair in found)
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    dealt: list[list[str]] = [[] for _ in range(count)]
    for category in sorted(order, key=lambda one: -sizes[one]):
        min(dealt, key=lambda fold: sum(sizes[one] for one in fold)).append(category)
    return [[place for place, pair in enumerate(found) if pair.category in fold] for fold in dealt]


def _made(known: Sequence[Entry], chance: random.Random) -> Iterator[Pair]:
    wrong = [kind for kind, faithful in KINDS.items() if not faithful]
    for number, entry in enumerate(known):
        category, _, answer = entry
        true = _context("true", entry, known, chance)
        reworded = reword(answer, chance)
        kind = "reworded" if number % 2 and reworded != answer else "as_it_is"
        yield Pair(kind, category, reworded if kind == "reworded" else answer, true)
        kind = wrong[number % len(wrong)]
        if kind in ("misleading", "missing"):
            yield Pair(kind, category, answer, _context(kind, entry, known, chance))
        elif kind == "denied":
            yield Pair(kind, category, deny(answer), true)
        elif (swapped := swap_word(answer, true, known, category, chance)) is not None:
            yield Pair(kind, category, swapped, true)


def _context(kind: str, entry: Entry, known: Sequence[Entry], chance: random.Random) -> str:
    chosen = passages_of(kind, entry, list(known), chance)
    chance.shuffle(chosen)
    return "\n\n".join(f"{question} {answer}" for _, question, answer in chosen)


def reword(answer: str, chance: random.Random) -> str:
    """The same said otherwise; the answer itself where nothing of it is known."""

    def other(match: re.Match[str]) -> str:
        word = match[0]
        found = _SHORT.get(word.lower().replace("’", "'")) or _OTHER_WORD.get(word.lower())
        if found is None:
            return word
        return found[0].upper() + found[1:] if word[0].isupper() else found

    return chance.choice(_BEFORE) + re.sub(r"[A-Za-z]+(?:['’][a-z]+)?", other, answer)


def deny(answer: str) -> str:
    """The contrary: its first verb denied, its denial taken out, or "It is not true that" before it."""
    if _DENIAL.search(answer):
        return " ".join(_DENIAL.sub(lambda match: _AFFIRMED.get(match[0].lower(), ""), answer, count=1).split())
    if _VERB.search(answer):
        return _VERB.sub(r"\1 not", answer, count=1)
    return f"It is not true that {answer[0].lower()}{answer[1:]}"


def swap_word(answer: str, context: str, known: Sequence[Entry], category: str, chance: random.Random) -> str | None:
    """The answer with its longest word exchanged for one of another answer that the context does not have."""
    own = sorted(set(_WORD.findall(answer)), key=lambda word: (-len(word), word))
    if not own:
        return None
    held = context.lower()
    others = [word for _, _, other in chance.sample(list(known), 20) for word in _WORD.findall(other)]
    fitting = [word for word in others if word.lower() not in held]
    return re.sub(rf"\b{re.escape(own[0])}\b", chance.choice(fitting), answer, count=1) if fitting else None
