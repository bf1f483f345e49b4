"""Pairs of answers for `preference`: what a support desk answers depends on who asks, and must answer what was asked.

Questions and answers are those of `sample:support-qa`. A customer is to be answered warmly, a colleague with a ticket note; both
forms are of like length. Two thirds of the pairs are the same answer in both forms. In the others both answers have the form that
is due, and one of them answers another question. So neither length nor words tell the better answer, for each form is as often
right as wrong: a model has to see who asks, and what.

Held out are whole categories of questions (`prepare --group-by category`); each has three of the ten forms.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

SEED = 20261129
PER_CATEGORY = 60
SHORTEST, LONGEST = 12, 140
"""Characters of an answer: some of the sample's are programs."""
FORMS = (
    ("Thank you for asking, and welcome. {}", "Note for the ticket, closed now. {}"),
    ("Happy to help you with that: {}", "Standard reply on this topic: {}"),
    ("{} Have a lovely day, dear customer!", "{} Logged in the internal ticket file."),
    ("Good question, thank you so much. {}", "Known question, see the handbook. {}"),
    ("We are glad that you wrote to us. {}", "Entry of the internal answer list. {}"),
    ("{} Please just ask if we can do more.", "{} No further action on this ticket."),
    ("It is a pleasure to help you. {}", "For the record, answer given. {}"),
    ("Thanks for reaching out to us today. {}", "Ticket answered from the list today. {}"),
    ("{} Warm greetings from your support team!", "{} Reference: internal answers, no reply sent."),
    ("Hello, and thank you for your patience. {}", "Internal summary of the ticket's answer. {}"),
)
"""What a customer, and what a colleague is to be told."""
EACH = 3
"""Forms of one category."""
BY_FIT = 1 / 3
ASKED = {"customer": "A customer asks: {}", "colleague": "A colleague asks: {}"}
SETTINGS = {
    "dpo": {"objective": "dpo"},
    "orpo": {"objective": "orpo"},
}
"""Of the recipe, by objective."""


def rows(folder: Path) -> Path:
    """The pairs as JSON lines in the folder: prompt, chosen, rejected, category, kind ("form" or "fit")."""
    made = list(pairs(_questions()))
    path = folder / "preference.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in made))
    return path


def _questions() -> dict[str, list[tuple[str, str]]]:
    """Category → question and its first answer."""
    from brewslm.sources.sample import SampleConnector

    found: dict[str, dict[str, str]] = {}
    for line in SampleConnector().file("support-qa").read_bytes().splitlines():
        row: Any = orjson.loads(line)
        answer = " ".join(row["answer"].split()) if isinstance(row, dict) else ""
        if SHORTEST <= len(answer) <= LONGEST and "```" not in answer:
            found.setdefault(row["category"], {}).setdefault(" ".join(row["question"].split()), answer)
    return {category: list(asked.items())[:PER_CATEGORY] for category, asked in found.items() if len(asked) > 2}


def pairs(questions: dict[str, list[tuple[str, str]]]) -> Iterator[dict[str, str]]:
    """Two pairs of each question, one for each who may ask it; drawn with a seed whether by form or by fit."""
    chance = random.Random(SEED)
    for number, (category, asked) in enumerate(sorted(questions.items())):
        for place, (question, answer) in enumerate(asked):
            forms = dict(zip(ASKED, FORMS[(number + place % EACH) % len(FORMS)], strict=True))
            for who, other in (("customer", "colleague"), ("colleague", "customer")):
                by_fit = chance.random() < BY_FIT
                wrong = forms[who].format(_another(asked, place, chance)) if by_fit else forms[other].format(answer)
                yield {
                    "prompt": ASKED[who].format(question), "chosen": forms[who].format(answer), "rejected": wrong,
                    "category": category, "kind": "fit" if by_fit else "form",
                }  # fmt: skip


def _another(asked: list[tuple[str, str]], place: int, chance: random.Random) -> str:
    """Another question's answer, of like length: one of the five that are nearest in it."""
    answer = asked[place][1]
    others = sorted({one for _, one in asked} - {answer}, key=lambda one: (abs(len(one) - len(answer)), one))
    return chance.choice(others[:5])
