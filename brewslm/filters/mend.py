"""Mend what encodings broke, and trim what is not the document's own."""

import re
from dataclasses import dataclass
from functools import cache

from brewslm.filters.preset import cleaning_preset


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended text.

    Attributes:
        changed_lines: Lines in which the encoding was mended.
        trimmed_lines: Lines that were boilerplate.
        lines: All lines that came in.
    """

    text: str
    changed_lines: int
    trimmed_lines: int
    lines: int


def mend(raw: str) -> Mended:
    """Undo mojibake (ftfy), drop control characters, trim boilerplate lines, and leave at most one blank line in a row.

    Curly quotes stay: they are the author's, and nothing is broken about them.
    """
    from ftfy import TextFixerConfig, fix_text

    lines = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fixed = fix_text("\n".join(lines), TextFixerConfig(uncurl_quotes=False)).split("\n")
    kept = [line.rstrip() for line in fixed if not _boilerplate().match(line.strip())]
    changed = sum(1 for before, after in zip(lines, fixed, strict=False) if before != after)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return Mended(text=text, changed_lines=changed, trimmed_lines=len(fixed) - len(kept), lines=len(fixed))


@cache
def _boilerplate() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in cleaning_preset().boilerplate), re.IGNORECASE)
