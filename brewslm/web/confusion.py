"""A confusion matrix whose cells lead to the rows behind them."""

from collections.abc import Callable, Sequence
from typing import Any

from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box, link
from brewslm.web.words import percent

MOST = 20
"""Labels that are drawn: those that are mixed up most."""


def confusion_matrix(found: dict[str, Any], address: Callable[[str, str], str]) -> None:
    """Expected labels down, predicted ones across; each cell a link, tinted by its share of its row.

    Args:
        found: {"labels", "counts"}: counts[i][j] rows are labels[i] and were called labels[j].
        address: Of the rows with an expected and a predicted label.
    """
    labels, counts = found["labels"], found["counts"]
    shown = _most_mixed(counts)
    with box("div", "wide", tabindex="0", role="region", aria_label="Confusion matrix"), box("table", "confusion"):
        Text("caption", "Rows by what was expected, columns by what was predicted; a cell opens its rows.", "muted")
        with box("thead"), box("tr"):
            Text("th", "expected ↓ predicted →", "muted", scope="col")
            for at in shown:
                Text("th", labels[at], scope="col", title=labels[at])
            Text("th", "right", "muted", scope="col")
        with box("tbody"):
            for row in shown:
                every = sum(counts[row])
                with box("tr"):
                    Text("th", labels[row], scope="row", title=labels[row])
                    for at in shown:
                        with box("td", "right" if at == row else ""):
                            _cell(counts[row][at], every, labels[row], labels[at], address)
                    Text("td", percent(counts[row][row] / every) if every else "–", "figure muted")
    if len(shown) < len(labels):
        Text("p", f"The {len(shown)} labels that are mixed up most, of {len(labels):,}; the table below has them all.", "muted")


def _most_mixed(counts: Sequence[Sequence[int]]) -> list[int]:
    wrong = [sum(row) - row[at] + sum(other[at] for other in counts) - row[at] for at, row in enumerate(counts)]
    most = sorted(range(len(counts)), key=lambda at: (-wrong[at], at))[:MOST]
    return sorted(most)


def _cell(count: int, every: int, expected: str, predicted: str, address: Callable[[str, str], str]) -> None:
    """A tint of the one colour of figures; nothing where there is no row."""
    if not count:
        Text("span", "0", "none figure")
        return
    made = link(f"{count:,}", address(expected, predicted), "matrix-link figure")
    made.props["aria-label"] = f"{counted(count, 'row')}: expected {expected}, predicted {predicted}"
    made.style(f"--share: {round(40 * count / every)}%")
