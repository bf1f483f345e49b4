"""What is heard of a text: words in small letters, without the marks between them."""

import re
import unicodedata

_MARKS = re.compile(r"[^\w\s']|_")
_OUTER = re.compile(r"(?<!\w)'|'(?!\w)")


def plain_words(text: str) -> str:
    """Small letters and digits, one space between words; of marks only the apostrophe inside a word stays."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(_OUTER.sub(" ", _MARKS.sub(" ", plain)).split())
