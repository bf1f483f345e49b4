"""Write the texts with their spans: `python make.py SLICE SEED COUNT` prints JSON lines of {locale, text, spans}.

The slice `prose` is for speed alone: COUNT documents of five kilobytes, a year or a sum here and there, now and then an address.

Runs in the toolchain, beside carriers.yaml and values.py; imports nothing of brewslm.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from values import LOCALES, Values

SLOT = re.compile(r"\{([a-z_0-9]+)\}")


def filled(carrier: str, values: Values) -> tuple[str, list[list[Any]]]:
    """A carrier with a value in each slot, and where the personal data stand."""
    parts: list[str] = []
    spans: list[list[Any]] = []
    length = position = 0
    for slot in SLOT.finditer(carrier):
        name, value = slot[1], values.fill(slot[1])
        before = carrier[position : slot.start()]
        start = length + len(before)
        if not name.startswith(("x_", "f_")):
            spans.append([kind(name), start, start + len(value)])
        parts += [before, value]
        position, length = slot.end(), start + len(value)
    return "".join([*parts, carrier[position:]]), spans


def kind(slot: str) -> str:
    """The type of a slot: what stands before its variant."""
    return {"phone_shaped": "phone"}.get(slot, "secret" if slot.startswith("secret_") else slot)


def prose(values: Values, count: int) -> None:
    """Print documents of prose."""
    for _ in range(count):
        text = ""
        while len(text) < 5000:
            text += values.faker.paragraph(nb_sentences=8)
            chance = values.random.random()
            text += values.digits(" In 19## it was %# percent of %,###.") if chance < 0.3 else ""
            text += f" Write to {values.email()} or call {values.phone()}." if chance < 0.05 else ""
            text += "\n"
        print(json.dumps({"locale": "en_US", "text": text, "spans": []}))


def main() -> None:
    """Print COUNT texts for each carrier and locale of a slice."""
    part, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if part == "prose":
        prose(Values("en_US", seed), count)
        return
    carriers = yaml.safe_load((Path(__file__).parent / "carriers.yaml").read_text(encoding="utf-8"))[part]
    for locale in LOCALES:
        values = Values(locale, f"{seed}-{locale}")
        for carrier in carriers["any"] + 3 * carriers[locale]:
            for _ in range(count):
                text, spans = filled(carrier, values)
                print(json.dumps({"locale": locale, "text": text, "spans": spans}, ensure_ascii=False))


if __name__ == "__main__":
    main()
