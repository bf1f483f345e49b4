"""Rejected rows by reason: what each means, the rows behind it, and which are left out of what is shown."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from nicegui.element import Element

from brewslm.observe.figures import counted
from brewslm.observe.reasons import ReasonView, every_reason
from brewslm.web.parts import Text, box, button, link, put
from brewslm.web.sample_rows import sample_rows

ROWS_A_PAGE = 10


@cache
def row_reasons() -> dict[str, ReasonView]:
    """Code to what it means and what to do, of rows."""
    return {one.code: one for one in every_reason() if one.kind == "row"}


def by_reason(counts: dict[str, int]) -> str:
    """ "neutral_score 293, empty_text 2", the largest first."""
    return ", ".join(f"{reason} {count:,}" for reason, count in largest_first(counts))


def largest_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    """The entries by their count, then by their name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


class Rejections:
    """The table of a dry run, and under it the rows of the reason that was opened, a page at a time.

    Args:
        rows: The rejected rows that the dry run has kept.
        on_drop: Gets the reasons that are dropped, at every change.
    """

    def __init__(self, counts: dict[str, int], rows: Sequence[dict[str, Any]], on_drop: Callable[[list[str]], None]) -> None:
        self._counts, self._on_drop = counts, on_drop
        self._rows = {code: [row for row in rows if row["reason"] == code] for code in counts}
        self._ticks: dict[str, Element] = {}
        self._cells: dict[str, Element] = {}
        self._dropped: set[str] = set()
        self._open, self._at = "", 0
        self._draw_table()
        self._behind = box("div", "behind", role="region", aria_label="Rows behind a reason")
        self._behind.set_visibility(False)

    def committed(self, address: Callable[[str], str]) -> None:
        """From now on the counts lead to all the rows.

        Args:
            address: Where a reason's rows are.
        """
        self._close()
        for code, cell in self._cells.items():
            cell.clear()
            with cell:
                link(f"{self._counts[code]:,}", address(code), aria_label=f"See the {counted(self._counts[code], 'row')}: {code}")
        for tick in self._ticks.values():
            put(tick, disabled="disabled")

    def _draw_table(self) -> None:
        wide = box("div", "wide", tabindex="0", role="region", aria_label="Rejected rows by reason")
        with wide, box("table", "figures rejections"):
            with box("thead"), box("tr"):
                for head in ("Rejected for", "Rows", "What it means"):
                    Text("th", head, scope="col")
                with box("th", "", scope="col"):
                    self._tick("", "Drop all" if len(self._counts) > 1 else "Drop")
            with box("tbody"):
                for code, count in largest_first(self._counts):
                    self._reason(code, count)
        Text("p", "A dropped reason's rows are left out of what is shown. They stay counted, and stay on disk.", "muted")

    def _reason(self, code: str, count: int) -> None:
        with box("tr"):
            Text("th", code, "mono", scope="row")
            with box("td") as self._cells[code]:
                button(f"{count:,}", partial(self._show, code), "count", aria_label=f"Show the rows: {code}, {count:,}")
            with box("td"):
                known = row_reasons().get(code)
                Text("p", known.meaning if known else "This version does not know this code.")
                Text("p", known.remedy if known else "", "muted")
            with box("td"):
                if len(self._counts) > 1:
                    self._tick(code, f"Drop {code}", "Drop")

    def _tick(self, code: str, name: str, shown: str = "") -> None:
        with box("label", "tick-small"):
            tick = box("input", type="checkbox", aria_label=name)
            Text("span", shown or name, aria_hidden="true")
        self._ticks[code] = tick
        tick.on("change", lambda event: self._drop(code, bool(event.args)), js_handler="(event) => emit(event.target.checked)")

    def _drop(self, code: str, dropped: bool) -> None:
        """One reason, or all of them where `code` is empty."""
        codes = {code} if code else set(self._counts)
        self._dropped = self._dropped | codes if dropped else self._dropped - codes
        for each, tick in self._ticks.items():
            on = each in self._dropped if each else self._dropped == set(self._counts)
            if on:
                put(tick, checked="checked")
            else:
                tick.props.pop("checked", None)
        if self._open in self._dropped:
            self._close()
        self._on_drop(sorted(self._dropped))

    def _show(self, code: str, page: int = 0) -> None:
        """Open the rows of a reason, or close them where they are open."""
        if (self._open, self._at, page) == (code, 0, 0):
            self._close()
            return
        self._open, self._at = code, page
        rows, count = self._rows[code], self._counts[code]
        first = page * ROWS_A_PAGE
        shown = rows[first : first + ROWS_A_PAGE]
        self._behind.clear()
        self._behind.set_visibility(True)
        with self._behind:
            with box("div", "card-head"):
                Text(
                    "h4", f"Rows rejected for {code}: {first + 1:,}–{first + len(shown):,} of {count:,}", "figure", role="status"
                )
                button("Close", self._close)
            sample_rows(shown)
            with box("div", "actions"):
                if page:
                    button("Previous rows", partial(self._show, code, page - 1))
                if first + ROWS_A_PAGE < len(rows):
                    button("Next rows", partial(self._show, code, page + 1))
            if len(rows) < count:
                Text("p", f"A dry run keeps the first {len(rows):,} of a reason; once committed, all can be browsed.", "muted")

    def _close(self) -> None:
        self._open, self._at = "", 0
        self._behind.clear()
        self._behind.set_visibility(False)
