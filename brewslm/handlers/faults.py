"""What is wrong with an answer, by kind: what error clusters are made from. Nothing here says why."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from brewslm.metrics.spans import Span

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_FEW, _GRAM = 12, 3
"""An answer of fewer words is not called a repetition; how many words in a row are compared to find one."""


class Rank(IntEnum):
    """How much a fault says of an answer, the most telling first."""

    USELESS = 0
    """There is no answer to look at."""
    PARTICULAR = 1
    """It names what is wrong: a pair of labels, a field, a type."""
    WIDER = 2
    """It names half of that, or the kind alone."""
    GENERAL = 3
    """No more than that it is another answer."""


class Fault(NamedTuple):
    """One thing that is wrong with one answer.

    Attributes:
        kind: A key of presets/errors.yaml, which has its words and what to do about it.
        subject: What it is about, such as (expected label, predicted label), or a field's name.
    """

    kind: str
    subject: tuple[str, ...] = ()
    rank: Rank = Rank.PARTICULAR


def words_of(text: str) -> list[str]:
    """The words of a text without regard to case, "don't" being one. A script without spaces gives long ones."""
    return [word.replace("\u2019", "'") for word in _WORD.findall(text.casefold())]


def problem_faults(problems: Mapping[str, int]) -> list[Fault]:
    """What could not be used of an answer, as `Prediction.problems` counts it."""
    useless = {"empty", "invalid_json"}
    return [Fault(kind, (), Rank.USELESS if kind in useless else Rank.PARTICULAR) for kind in sorted(problems)]


def label_faults(expected: str, said: str, known: Sequence[str]) -> list[Fault]:
    """One label instead of another.

    Args:
        known: The labels that the model could give.
    """
    if expected == said:
        return []
    if said not in known:
        return [Fault("no_label", (), Rank.USELESS)]
    if expected not in known:
        return [Fault("unseen_label", (expected,)), Fault("unseen_label", (), Rank.WIDER)]
    return [
        Fault("confused", (expected, said)),
        Fault("missed_label", (expected,), Rank.WIDER),
        Fault("given_label", (said,), Rank.WIDER),
        Fault("confused", (), Rank.GENERAL),
    ]


def set_faults(expected: Iterable[str], said: Iterable[str]) -> list[Fault]:
    """Labels that are missing, and labels that are there without a right."""
    wanted, given = set(expected), set(said)
    return _with_kinds([
        *(Fault("missing_label", (label,)) for label in sorted(wanted - given)),
        *(Fault("extra_label", (label,)) for label in sorted(given - wanted)),
    ])  # fmt: skip


def field_faults(expected: Mapping[str, str | None], said: Mapping[str, str | None]) -> list[Fault]:
    """Per field: missing, put in, another value, or the same one but for case, spaces and punctuation."""
    found = []
    for name, wanted in expected.items():
        given = said.get(name)
        if wanted == given:
            continue
        if given is None:
            kind = "missing_field"
        elif wanted is None:
            kind = "extra_field"
        else:
            kind = "field_form" if words_of(wanted) == words_of(given) else "wrong_field"
        found.append(Fault(kind, (name,)))
    return _with_kinds(found)


def span_faults(expected: Sequence[Span], said: Sequence[Span]) -> list[Fault]:
    """Spans that are missing, put in, of another type at the same place, or of the right type with other ends.

    A span is paired with one that overlaps it: first of the same ends, then of the same type, then with any.
    """
    left, over = [dict(span) for span in expected], [dict(span) for span in said]
    found: list[Fault] = []
    for alike in (_same, _same_ends, _same_type_overlapping, _overlapping):
        for span in list(left):
            other = next((one for one in over if alike(span, one)), None)
            if other is None:
                continue
            left.remove(span)
            over.remove(other)
            if span["type"] != other["type"]:
                found.append(Fault("wrong_type", (str(span["type"]), str(other["type"]))))
            elif not _same(span, other):
                found.append(Fault("shifted_span", (str(span["type"]),)))
    found += [Fault("missing_span", (str(span["type"]),)) for span in left]
    found += [Fault("extra_span", (str(span["type"]),)) for span in over]
    return _with_kinds(sorted(set(found)))


def _same(one: Span, other: Span) -> bool:
    return _same_ends(one, other) and bool(one["type"] == other["type"])


def _same_ends(one: Span, other: Span) -> bool:
    return bool(one["start"] == other["start"] and one["end"] == other["end"])


def _overlapping(one: Span, other: Span) -> bool:
    return bool(one["start"] < other["end"] and other["start"] < one["end"])


def _same_type_overlapping(one: Span, other: Span) -> bool:
    return _overlapping(one, other) and bool(one["type"] == other["type"])


def _with_kinds(found: Sequence[Fault]) -> list[Fault]:
    """And each kind alone, for rows that have nothing more particular in common."""
    return [*found, *(Fault(kind, (), Rank.WIDER) for kind in sorted({fault.kind for fault in found}))]


def text_faults(expected: str, said: str) -> list[Fault]:
    """How a text differs from the right one, in words. A script without spaces is compared by its runs between marks."""
    if expected == said:
        return []
    wanted, given = words_of(expected), words_of(said)
    if wanted and not given:
        return [Fault("empty", (), Rank.USELESS)]
    if _repeats(given) and not _repeats(wanted):
        return [Fault("repeats", (), Rank.USELESS)]
    if wanted == given:
        return [Fault("form_only")]
    if len(wanted) == len(given) and all(a == b or (_digits(a) and _digits(b)) for a, b in zip(wanted, given, strict=True)):
        return [Fault("wrong_number")]
    if sorted(wanted) == sorted(given):
        return [Fault("other_order")]
    if _inside(wanted, given):
        return [Fault("says_more")]
    if _inside(given, wanted):
        return [Fault("says_less")]
    shared = _shared(wanted, given)
    kind = "other_answer" if not shared else "partly_right" if shared >= 0.5 else "little_right"
    return [Fault(kind, (), Rank.GENERAL)]


def transcript_faults(expected: Sequence[str], said: Sequence[str]) -> list[Fault]:
    """What happened most to the words of a transcript: left out, put in or changed; of equals the first of these."""
    import jiwer

    if list(expected) == list(said):
        return []
    if not said:
        return [Fault("empty", (), Rank.USELESS)]
    if _repeats(said) and not _repeats(expected):
        return [Fault("repeats", (), Rank.USELESS)]
    found = jiwer.process_words(" ".join(expected), " ".join(said))
    if not found.hits:
        return [Fault("other_answer", (), Rank.GENERAL)]
    counts = {"words_left_out": found.deletions, "words_put_in": found.insertions, "words_changed": found.substitutions}
    return [Fault(max(counts, key=counts.__getitem__))]


def _digits(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _inside(part: Sequence[str], whole: Sequence[str]) -> bool:
    return bool(part) and any(list(whole[at : at + len(part)]) == list(part) for at in range(len(whole) - len(part) + 1))


def _repeats(words: Sequence[str]) -> bool:
    """Whether at least half of its runs of three words were there before."""
    runs = [tuple(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)]
    return len(words) >= _FEW and 2 * len(set(runs)) <= len(runs)


def _shared(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Token F1 as SQuAD has it, on these words."""
    both = (Counter(wanted) & Counter(given)).total()
    return 2 * both / (len(wanted) + len(given)) if both else 0.0
