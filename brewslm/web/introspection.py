"""What a look at a source found: its columns, and how sure a mapping of them is."""

from brewslm.observe.figures import counted
from brewslm.stages.introspect import ColumnSignature, Introspection
from brewslm.web.parts import Text, box
from brewslm.web.words import Sign, plain

COLUMNS_SHOWN = 50


def introspection(found: Introspection) -> None:
    """How much there is, and the columns with their types."""
    reach = "over the whole source" if found.sample_reach == "file" else "from its beginning"
    Text("p", f"About {counted(found.approximate_total_rows, 'row')}, {found.sampled:,} of them sampled {reach}.", "figure")
    for note in found.notes:
        Text("p", note, "muted")
    _columns(found.column_signatures)


def sureness(confidence: float, threshold: float) -> Sign:
    """A confidence as a state."""
    return Sign("done" if confidence >= threshold else "needs", f"confidence {confidence:.2f}")


def field_map(entries: dict[str, str]) -> str:
    """A field map in one line."""
    return ", ".join(f"{field} = {column}" for field, column in entries.items())


def _columns(signatures: list[ColumnSignature]) -> None:
    with box("div", "wide", tabindex="0", role="region", aria_label="Columns"), box("table", "figures rows stacks"):
        heads = ("Column", "Type", "Sure", "Different", "Measured", "Such as")
        with box("thead"), box("tr"):
            for head in heads:
                Text("th", head, scope="col")
        with box("tbody"):
            for each in signatures[:COLUMNS_SHOWN]:
                with box("tr"):
                    Text("th", each.name, "mono", scope="row")
                    cells = (
                        plain(each.column_type.value), f"{each.confidence:.2f}", f"{each.unique_values:,}", "; ".join(each.notes)
                    )  # fmt: skip
                    for head, cell in zip(heads[1:], cells, strict=False):
                        Text("td", cell, **({"data_head": head} if cell else {}))
                    with box("td", "clip", data_head=heads[-1]):
                        Text("span", each.sample_value or "", "mono")
    if len(signatures) > COLUMNS_SHOWN:
        Text("p", f"and {len(signatures) - COLUMNS_SHOWN:,} more columns", "muted")
