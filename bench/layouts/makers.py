"""What makes the cells of the layouts. All words are made here; every maker gives the value of row n."""

import json
import random
from collections.abc import Callable
from typing import Any

Maker = Callable[[int], Any]

_WHO = (
    "the baker",
    "our neighbour",
    "a young nurse",
    "the ferry pilot",
    "my aunt",
    "the new clerk",
    "a tired juggler",
    "the gardener",
)
_DID = ("repaired", "sold", "painted", "forgot", "returned", "measured", "wrapped", "found")
_WHAT = (
    "the blue lantern",
    "an old bicycle",
    "two letters",
    "the kitchen clock",
    "a broken radio",
    "the garden gate",
    "her umbrella",
)
_WHEN = ("before lunch", "late on Friday", "in heavy rain", "without a word", "after the concert", "near the harbour", "at dawn")
_NAMES = ("Ida Brook", "Tom Varga", "Lena Holt", "Omar Reyes", "Mia Stone", "Karl Weiss", "Nora Quint", "Paul Adler")
_CITIES = ("Lindau", "Porto", "Bergen", "Leeds", "Gdansk", "Turin", "Malmo")
_SHOPS = ("Heron Paper", "Quay Foods", "Tilia Garden", "Northside Tools", "Velvet Optics")
_GERMAN = ("Die Nachbarin", "Der Bäcker", "Ein müder Kellner", "Unsere Lehrerin")
_SYLLABLES = ("ka", "lo", "mi", "ren", "tu", "sha", "vel", "o", "dri", "pan")
_TUT = ("repariert das alte Rad", "sucht den blauen Schirm", "malt das Tor im Garten", "vergisst zwei Briefe")


def _rng(kind: str, n: int) -> random.Random:
    return random.Random(f"{kind}:{n}")


def sentence(n: int, kind: str = "s") -> str:
    """One sentence of about fifty characters."""
    r = _rng(kind, n)
    said = f"{r.choice(_WHO)} {r.choice(_DID)} {r.choice(_WHAT)} {r.choice(_WHEN)}"
    return said[0].upper() + said[1:] + "."


def other(n: int) -> str:
    """A sentence that is not that of `sentence`."""
    return sentence(n, "other")


def passage(n: int) -> str:
    """Five to eight sentences, in two paragraphs."""
    parts = [sentence(10 * n + k, "p") for k in range(5 + n % 4)]
    return " ".join(parts[:3]) + "\n\n" + " ".join(parts[3:])


def summary(n: int) -> str:
    """One sentence about a passage."""
    return f"In short: {sentence(10 * n, 'p')[:-1].lower()}, and more."


def headline(n: int) -> str:
    """Six words or so, without a full stop."""
    r = _rng("h", n)
    does, what = r.choice(("delays", "opens", "debates", "funds")), r.choice(("bridge", "museum", "tram line"))
    return f"{r.choice(_CITIES)} council {does} {what} {n}"


def question(n: int) -> str:
    """A question."""
    r = _rng("q", n)
    return f"{r.choice(('Who', 'Why do you think that somebody'))} {r.choice(_DID)} {r.choice(_WHAT)} {r.choice(_WHEN)}?"


def reply(n: int) -> str:
    """An answer in a sentence or two."""
    return f"It was {_rng('a', n).choice(_WHO)}. {sentence(n, 'reply')}"


def short(n: int) -> str:
    """An answer of one to three words."""
    r = _rng("short", n)
    return r.choice((r.choice(_NAMES), r.choice(_CITIES), str(1800 + n * 7), f"the {r.choice(('lantern', 'clock', 'gate'))}"))


def order(n: int) -> str:
    """An instruction."""
    r = _rng("order", n)
    asked = r.choice(("Write a short note about", "Explain to a child", "List three facts about", "Describe"))
    return f"{asked} {r.choice(_WHAT)} {n}."


def sometimes(maker: Maker, every: int) -> Maker:
    """The maker's value in one row of so many, else an empty text."""
    return lambda n: maker(n) if n % every == 0 else ""


def german(n: int) -> str:
    """A sentence in German."""
    r = _rng("de", n)
    return f"{r.choice(_GERMAN)} {r.choice(_TUT)}, und das schon zum {n + 2}. Mal."


def code(n: int) -> str:
    """A function in Python."""
    return (
        f"def step_{n}(values):\n    total = {n}\n    for value in values:\n        total += value * {n + 1}\n    return total\n"
    )


def one_of(*labels: Any) -> Maker:
    """A label, drawn by the row's number."""
    return lambda n: _rng(f"l{labels}", n).choice(labels)


def number(n: int) -> int:
    """1, 2, 3 …"""
    return n + 1


def key(n: int) -> str:
    """An identifier of 12 hex digits."""
    return f"{_rng('key', n).getrandbits(48):012x}"


def day(n: int) -> str:
    """A date."""
    return f"2025-{1 + n % 12:02d}-{1 + (7 * n) % 28:02d}"


def moment(n: int) -> str:
    """A date and a time."""
    return f"{day(n)}T{n % 24:02d}:{(13 * n) % 60:02d}:00Z"


def share(n: int) -> float:
    """A number from 0 to 1."""
    return round(_rng("f", n).random(), 4)


def price(n: int) -> float:
    """A sum of money."""
    return round(5 + _rng("price", n).random() * 400, 2)


def address(n: int) -> str:
    """A web address."""
    return f"https://example.org/page/{key(n)}"


def file(ending: str) -> Maker:
    """A path."""
    return lambda n: f"data/part{n % 3}/{key(n)}.{ending}"


def name(n: int) -> str:
    """A person."""
    return f"{_NAMES[n % 8].split()[0]} {_NAMES[(3 * n + n // 8) % 8].split()[1]}"


def city(n: int) -> str:
    """A town."""
    return _CITIES[_rng("city", n).randrange(7)]


def shop(n: int) -> str:
    """A firm."""
    return _SHOPS[_rng("shop", n).randrange(5)]


def talk(role: str = "role", content: str = "content", me: str = "user", you: str = "assistant", system: bool = False) -> Maker:
    """A list of messages."""

    def made(n: int) -> list[dict[str, str]]:
        turns = [(me, question(n)), (you, reply(n))] + ([(me, question(n + 50)), (you, reply(n + 50))] if n % 2 else [])
        return [{role: who, content: said} for who, said in ([("system", "Be kind.")] if system else []) + turns]

    return made


def answered(kind: str) -> Maker:
    """A talk of two messages whose answer is of a kind."""
    return lambda n: [{"role": "user", "content": question(n)}, {"role": "assistant", "content": sentence(n, kind)}]


def tokens(n: int) -> list[str]:
    """The words of a sentence about somebody."""
    return [*name(n).split(), "went", "to", city(n), *(["again"] if n % 3 else []), "."]


def tags(style: str = "BI") -> Maker:
    """The tags of `tokens`, in BIO or BILOU."""

    def made(n: int) -> list[str]:
        second, alone = ("I", "B") if style == "BI" else ("L", "U")
        return ["B-PER", f"{second}-PER", "O", "O", f"{alone}-LOC", *(["O"] if n % 3 else []), "O"]

    return made


def invoice(n: int) -> str:
    """The text of an invoice with number(n), shop, day and price in it."""
    head = f"{shop(n)}\nInvoice INV-{1000 + n}\nDate {day(n)}\n"
    return f"{head}2 x lamp oil\n1 x wick\nTotal due: {price(n)} EUR\nThank you, {name(n)}"


def form(n: int) -> str:
    """A filled-in form with name, day and city in it."""
    return f"Application form\nName: {name(n)}\nBorn: {day(n)}\nLives in {city(n)} since {2000 + n}.\nSigned."


def advert(n: int) -> str:
    """A job advert with shop and city in it."""
    return f"{shop(n)} is looking for a {post(n)} in {city(n)}. {sentence(n, 'ad')} Apply now."


def post(n: int) -> str:
    """What a position in an advert is called."""
    return ("packer", "driver", "clerk", "cook", "smith")[n % 5]


def caption(n: int) -> str:
    """What is in a picture."""
    r = _rng("caption", n)
    return f"a {r.choice(('red', 'small', 'dusty'))} {r.choice(('boat', 'dog', 'tower', 'cart'))} beside {r.choice(_WHAT)}"


def risky(n: int) -> str:
    """A request that a safe model should weigh."""
    r = _rng("risk", n)
    act, thing = r.choice(("break into", "copy the key of", "disable the alarm of")), r.choice(("a shed", "a shop", "a car"))
    return f"How could somebody {act} {thing} {n}?"


def german_question(n: int) -> str:
    """A question in German."""
    return f"Warum {_rng('f', n).choice(_TUT)} niemand am {n + 1}. Tag?"


def word(n: int) -> str:
    """One word that no other row has."""
    return f"{_rng('w', n).choice(_CITIES)}{n}"


def foreign(n: int) -> str:
    """A sentence of made-up words, for languages that we do not write."""
    r = _rng("foreign", n)
    words = ["".join(r.choice(_SYLLABLES) for _ in range(r.randint(1, 3))) for _ in range(r.randint(6, 12))]
    return " ".join(words).capitalize() + "."


def poem(n: int) -> str:
    """A line of a poem: few words, no full stop."""
    r = _rng("poem", n)
    return f"and {r.choice(_WHO)} {r.choice(_DID)} {r.choice(_WHAT)}"


def program(n: int) -> str:
    """A query to a database."""
    return f"SELECT name FROM part_{n % 4} WHERE size > {n} AND town = '{city(n)}'"


def masked(n: int) -> str:
    """A sentence with a gap."""
    return sentence(n, "masked").replace(" the ", " <mask> ", 1)


def file_object(ending: str) -> Maker:
    """The object that a decoded file column has: its path, without its bytes."""
    return lambda n: {"bytes": None, "path": file(ending)(n)}


def as_json(n: int) -> str:
    """An object written as text."""
    return json.dumps({"harassment": share(n), "violence": share(n + 9)})


def talk_text(n: int) -> str:
    """A dialogue in one text, a line for each turn."""
    return "\n".join(f"{who.split()[0]}: {said}" for who, said in ((name(n), question(n)), (name(n + 3), reply(n))))


def prompted(kind: str) -> Maker:
    """A prompt and an answer of a kind in one text."""
    return lambda n: f"\n\nHuman: {question(n)}\n\nAssistant: {sentence(n, kind)}"


def template(n: int) -> str:
    """An instruction, what it speaks of and its answer, put together as they are trained on."""
    return f"Below is a task.\n\n### Task:\n{order(n)}\n\n### Input:\n{sentence(n)}\n\n### Answer:\n{reply(n)}"


def signature(n: int) -> str:
    """The head of a function in Python, and what it is to do."""
    return f'def step_{n}(values):\n    """{sentence(n, "doc")}"""\n'


def parsed(n: int) -> str:
    """What an invoice says, as JSON in a text."""
    return json.dumps({"store": shop(n), "date": day(n), "total": price(n), "for": sentence(n)})


def short_code(n: int) -> str:
    """A line of code."""
    return f"total_{n} = sum(value * {n + 1} for value in part_{n % 5})"


def marked(n: int) -> str:
    """A sentence with two of its parts marked."""
    r = _rng("marked", n)
    return f"<e1>{r.choice(_WHO).capitalize()}</e1> {r.choice(_DID)} <e2>{r.choice(_WHAT)}</e2> {r.choice(_WHEN)}."


def traits(n: int) -> str:
    """What is to be said, as names and values."""
    return f"name[{shop(n)}], area[{city(n)}], price[{n % 9}], family[{'yes' if n % 2 else 'no'}]"
