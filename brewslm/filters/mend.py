"""Mend what encodings broke, line by line, and remember where each line stood."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from brewslm.filters.origins import Origins, line_starts

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_TOUCHED_ASCII = re.compile(r"[&\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended text.

    Attributes:
        text: Its lines, joined by newlines.
        changed_lines: Source lines in which something was mended.
        origins: Where its lines stood in the raw text.
    """

    text: str
    changed_lines: int
    origins: Origins


def mend(raw: str) -> Mended:
    """Undo mojibake and escaped HTML, and drop control characters, with ftfy; line breaks become newlines.

    Curly quotes stay: they are the author's, and nothing is broken about them. The text is what ftfy makes of it, but ftfy
    reads only the lines that it could change: at its 1 to 4 MB/s it would take longer than all other steps together.
    """
    lines, raw_starts, raw_ends = _split(raw)
    if raw.isascii() and not _TOUCHED_ASCII.search(raw):
        return Mended("\n".join(lines), 0, Origins(line_starts(lines), raw_starts, raw_ends, (True,) * len(lines)))
    fixed: list[str] = []
    sources: list[int] = []
    changed: set[int] = set()
    fixer = _Fixer()
    for number, line in enumerate(lines):
        parts = fixer.fix(line, number + 1 == len(lines))
        if parts != [line]:
            changed.add(number)
        fixed += parts
        sources += [number] * len(parts)
    origins = Origins(
        line_starts(fixed),
        [raw_starts[number] for number in sources],
        [raw_ends[number] for number in sources],
        [number not in changed for number in sources],
    )
    return Mended("\n".join(fixed), len(changed), origins)


def _split(raw: str) -> tuple[list[str], list[int], list[int]]:
    """The lines, and where each begins and ends."""
    if "\r" not in raw:
        lines = raw.split("\n")
        starts = line_starts(lines)
        return lines, starts, list(map(int.__add__, starts, map(len, lines)))
    breaks = [match.span() for match in _LINE_BREAK.finditer(raw)]
    starts, ends = [0, *(end for _, end in breaks)], [*(start for start, _ in breaks), len(raw)]
    return [raw[start:end] for start, end in zip(starts, ends, strict=True)], starts, ends


class _Fixer:
    """ftfy for the lines of one text: from the first line with a `<` on, it leaves HTML entities alone."""

    def __init__(self) -> None:
        from ftfy import TextFixerConfig

        self._config = TextFixerConfig(uncurl_quotes=False, explain=False)

    def fix(self, line: str, is_last: bool) -> list[str]:
        """The line's mended lines; more than one where a character or an entity in it was a line break."""
        from ftfy import fix_text

        if "<" in line and self._config.unescape_html == "auto":
            self._config = self._config._replace(unescape_html=False)
        if _is_sound(line):
            return [line]
        ending = "" if is_last else "\n"
        return fix_text(line + ending, self._config).removesuffix(ending).split("\n")


def _is_sound(line: str) -> bool:
    """Whether ftfy has nothing to do: no character that it replaces, composed already, and no sign of mojibake."""
    if line.isascii():
        return not _TOUCHED_ASCII.search(line)
    from unicodedata import is_normalized

    from ftfy.badness import is_bad

    return not _touched().search(line) and is_normalized("NFC", line) and not is_bad(line)


@cache
def _touched() -> re.Pattern[str]:
    """Every character that one of ftfy's fixers looks for."""
    from ftfy.chardata import CONTROL_CHARS, LIGATURES, WIDTH_MAP

    tables: list[dict[int, Any]] = [CONTROL_CHARS, LIGATURES, WIDTH_MAP]
    replaced = "".join(re.escape(chr(code)) for table in tables for code in table)
    return re.compile(f"[&\r\x1b\x80-\x9f\u2028\u2029\ud800-\udfff{replaced}]")
