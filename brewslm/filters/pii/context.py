"""The words around a number that say what it is. They are never looked for beyond a placeholder, nor in one.

So what is found does not depend on how long a placeholder is, and redacting twice changes nothing.
"""

import re

PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]{1,15}[A-Z])(?:_[0-9a-f]{10})?\]")
LONGEST_PLACEHOLDER = 32


def before(text: str, start: int, reach: int = 40) -> str:
    """Up to `reach` characters before `start`, from the last placeholder on."""
    left = text[max(0, start - reach - LONGEST_PLACEHOLDER) : start]
    cut = 0
    for match in PLACEHOLDER.finditer(left):
        cut = match.end()
    return left[max(cut, len(left) - reach) :]


def after(text: str, end: int, reach: int = 24) -> str:
    """Up to `reach` characters from `end` on, to the next placeholder."""
    right = text[end : end + reach + LONGEST_PLACEHOLDER]
    match = PLACEHOLDER.search(right)
    return right[: min(reach, match.start() if match else reach)]


def words(*options: str) -> re.Pattern[str]:
    """A pattern for any of these, as whole words or the beginnings of compounds, without case."""
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(options)})", re.IGNORECASE)


SOMETHING_ELSE = re.compile(
    r"(?<![^\W_])(?:orders?|invoice|ticket|case|claim|ref(?:erence)?|sku|part|item|batch|serial|model|version|release|build|commit"
    r"|isbn|issn|ean|upc|gtin|barcode|tracking|parcel|article|product|account|amount|sum|total|population|siren|siret|rcs|doi|pmid"
    r"|artikel|bestellung|auftrag|rechnung|vorgang|aktenzeichen|betrag|commande|facture|dossier|montant|article|référence"
    r"|pedido|factura|importe|artículo|expediente|ordine|fattura|importo|pratica|articolo|codice)"
    r"(?:s?nummer|s?nr)?[\s:#.=\"'-]*(?:(?:no|nr|num|number|id|code|n[°ºo])[\s.:#=\"'-]*)?\Z",
    re.IGNORECASE,
)
"""What stands directly before a number that is an order, a product or a sum."""


def is_something_else(text: str, start: int) -> bool:
    """Whether the number at `start` is announced as something that is nobody's."""
    return SOMETHING_ELSE.search(before(text, start)) is not None
