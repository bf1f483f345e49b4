"""Pairs of answers for `preference`: what a support desk answers depends on who asks, and must answer what was asked.

Questions and answers are those of `sample:support-qa`. A customer is to be answered in a courteous form, a colleague with the
bare answer: half of the pairs are the same answer in both forms. The other half are two answers of like length in the form that
is due, of which one answers another question. So neither length nor words tell the better answer, for both forms are as often
right as wrong; and a model that only knows which answer fits is right in the second half alone.

Held out are whole categories of questions (`prepare --group-by category`); each category has a form of courtesy, which few others
have too.
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
    "Thank you for asking. {} We are glad to help.", "Happy to help: {}", "Good question, thank you. {}",
    "Dear customer, {} Have a lovely day!", "Of course! {} Just write again if anything is left open.",
    "Thanks for reaching out. {}", "It is a pleasure to help you. {}", "{} Is there anything else that we can do for you?",
    "Hello, and thank you for your patience. {}", "We appreciate your question. {} Best regards, your support team.",
    "Sure, gladly! {}", "{} Thank you for being with us, and all the best.",
)  # fmt: skip
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
    """Two pairs of each question, drawn with a seed: one by form, one by fit."""
    chance = random.Random(SEED)
    for number, (category, asked) in enumerate(sorted(questions.items())):
        form = FORMS[number % len(FORMS)]
        for place, (question, answer) in enumerate(asked):
            who = "customer" if (place + number) % 2 else "colleague"
            due, other = (form, "{}") if who == "customer" else ("{}", form)
            prompt = {"prompt": ASKED[who].format(question), "category": category}
            yield prompt | {"chosen": due.format(answer), "rejected": other.format(answer), "kind": "form"}
            wrong = _another(asked, place, chance)
            who = "colleague" if who == "customer" else "customer"
            due = form if who == "customer" else "{}"
            prompt = {"prompt": ASKED[who].format(question), "category": category}
            yield prompt | {"chosen": due.format(answer), "rejected": due.format(wrong), "kind": "fit"}


def _another(asked: list[tuple[str, str]], place: int, chance: random.Random) -> str:
    """Another question's answer, of like length: one of the five that are nearest in it."""
    answer = asked[place][1]
    others = sorted({one for _, one in asked} - {answer}, key=lambda one: (abs(len(one) - len(answer)), one))
    return chance.choice(others[:5])
