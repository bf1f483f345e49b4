"""Invoices for `structured_extraction` scored field by field: values drawn with a seed, written in 32 templates.

A template is one of eight ways to name things in one of four layouts. Held out are whole templates (`--group-by template`): the
model has to find values where it never saw them. Numbers that are no field (net amount, tax, telephone) stand beside the fields.
A third of the invoices has no due date, and a fifth no order number.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import orjson

SEED = 20261130
EACH = 30
"""Invoices in each template."""
FIELDS = ("number", "date", "due", "seller", "buyer", "order", "total")
MAPPER = "kv_to_structured"
MAPPED = {"text": "text", "fields": ",".join(FIELDS)}
PREPARE = ("--group-by", "template", "--train-rows", "600", "--dev-rows", "30", "--eval-rows", "120")
SETTINGS = {"epochs": "1"}
"""Of the recipe."""
NAMES = (
    ("Invoice no.", "Date", "Due", "From", "Bill to", "Order", "Total"),
    ("Invoice number", "Issued", "Payable by", "Seller", "Customer", "Your order", "Amount due"),
    ("Inv #", "Invoice date", "Due date", "Supplier", "Client", "PO", "Grand total"),
    ("Bill", "Billed on", "Pay before", "Vendor", "Sold to", "Order no.", "To pay"),
    ("Reference", "Dated", "Deadline", "Company", "Recipient", "Order ref", "Sum"),
    ("Document", "Date of issue", "Payment until", "Issuer", "Buyer", "Purchase order", "Total amount"),
    ("No.", "Written on", "Please pay by", "Shop", "For", "Ordered as", "Balance"),
    ("Invoice", "Day", "Last day", "By", "To", "Order id", "In all"),
)
FIRST = (
    "Elm", "Harbour", "North", "Silver", "Old Mill", "Bright", "Castle", "Garden", "Union", "Lake", "Pine", "Summit",
)  # fmt: skip
SECOND = (
    "Trading", "Tools", "Foods", "Books", "Motors", "Fabrics", "Supplies", "Garden Ltd", "Paper Co", "Systems", "Glass", "Bikes",
)  # fmt: skip
PEOPLE = (
    "Ana Lopez", "Tom Baker", "Mei Chen", "Olu Ade", "Ivan Petrov", "Lena Vogel", "Sara Khan", "Paul Martin", "Rosa Diaz",
    "Jan Novak",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def rows(folder: Path) -> Path:
    """The invoices as JSON lines in the folder: text, the fields (null where the text has none), template."""
    path = folder / "forms.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in invoices()))
    return path


def invoices() -> Iterator[dict[str, str | None]]:
    """Every template in turn, with values of its own each time."""
    chance = random.Random(SEED)
    for _ in range(EACH):
        for way, names in enumerate(NAMES):
            for layout in range(4):
                values = _values(chance)
                named = dict(zip(FIELDS, names, strict=True))
                yield {"text": _text(values, named, layout, chance), **values, "template": f"{way}-{layout}"}


def _values(chance: random.Random) -> dict[str, str | None]:
    day, month = chance.randint(1, 28), chance.randint(0, 11)
    form = chance.choice(("{d} {name} 2026", "2026-{m:02}-{d:02}", "{name} {d}, 2026"))
    dates = [form.format(d=day + more, m=month + 1, name=MONTHS[month]) for more in (0, chance.randint(1, 2))]
    return {
        "number": f"{chance.choice('ABCDR')}-{chance.randint(1000, 99999)}",
        "date": dates[0],
        "due": dates[1] if chance.random() > 1 / 3 else None,
        "seller": f"{chance.choice(FIRST)} {chance.choice(SECOND)}",
        "buyer": chance.choice(PEOPLE),
        "order": f"{chance.randint(100000, 999999)}" if chance.random() > 0.2 else None,
        "total": f"{chance.randint(10, 2000)}.{chance.randint(0, 99):02}",
    }


def _text(values: dict[str, str | None], named: dict[str, str], layout: int, chance: random.Random) -> str:
    """Lines, a paragraph, cells, or a letter; always with numbers that are not asked for."""
    total = float(values["total"] or 0)
    beside = [
        ("Net", f"{total / 1.2:.2f}"),
        ("Tax", f"{total / 6:.2f}"),
        ("Tel.", f"0{chance.randint(200, 999)} {chance.randint(10000, 99999)}"),
    ]
    told = [(named[field], value) for field, value in values.items() if value is not None] + beside[:2]
    if layout == 0:
        return "\n".join(f"{name}: {value}" for name, value in [*told, beside[2]])
    if layout == 1:
        return "; ".join(f"{name} {value}" for name, value in [beside[2], *reversed(told)]) + "."
    if layout == 2:
        half = len(told) // 2
        rows = [told[:half], told[half:]]
        return "\n".join(f"{' | '.join(name for name, _ in row)}\n{' | '.join(value for _, value in row)}" for row in rows)
    chance.shuffle(told)
    return (
        "Dear Sir or Madam,\n"
        + " ".join(f"{name.lower()} is {value}," for name, value in told)
        + f" call {beside[2][1]}. Thank you."
    )
