"""What a look at a source found: its columns, and how they could be mapped."""

from brewslm.stages.introspect import ColumnSignature, Introspection, ShapeHypothesis
from brewslm.web.parts import Badge, Text, box
from brewslm.web.words import Sign, plain

COLUMNS_SHOWN = 50


def introspection(found: Introspection) -> None:
    """Columns with their types, then the hypotheses in their order."""
    reach = "over the whole source" if found.sample_reach == "file" else "from its beginning"
    Text("p", f"About {found.approximate_total_rows:,} rows, {found.sampled:,} of them sampled {reach}.", "figure")
    for note in found.notes:
        Text("p", note, "muted")
    _columns(found.column_signatures)
    Text("h3", "How they could be mapped")
    if not found.hypotheses:
        Text("p", "No mapper suits these columns: choose one below, and name its columns yourself.", "empty")
    with box("ol", "ranked"):
        for number, each in enumerate(found.hypotheses, 1):
            _hypothesis(number, each, found.confidence_threshold)


def sureness(confidence: float, threshold: float) -> Sign:
    """A confidence as a state."""
    return Sign("done" if confidence >= threshold else "needs", f"confidence {confidence:.2f}")


def field_map(entries: dict[str, str]) -> str:
    """A field map in one line."""
    return ", ".join(f"{field} = {column}" for field, column in entries.items())


def _hypothesis(number: int, each: ShapeHypothesis, threshold: float) -> None:
    with box("li"):
        with box("p", "event-head"):
            Text("span", f"{number}.", "muted figure")
            Text("span", each.mapper_id, "mono event-code")
            Badge(sureness(each.confidence, threshold))
            Text("span", field_map(each.field_map), "mono")
        Text("p", each.rationale, "muted")
        for warning in each.warnings:
            Text("p", f"but: {warning}", "muted doubt")


def _columns(signatures: list[ColumnSignature]) -> None:
    with box("div", "wide", tabindex="0", role="region", aria_label="Columns"), box("table", "figures"):
        with box("thead"), box("tr"):
            for head in ("Column", "Type", "Sure", "Different", "Measured", "Such as"):
                Text("th", head, scope="col")
        with box("tbody"):
            for each in signatures[:COLUMNS_SHOWN]:
                with box("tr"):
                    Text("th", each.name, "mono", scope="row")
                    Text("td", plain(each.column_type.value))
                    Text("td", f"{each.confidence:.2f}")
                    Text("td", f"{each.unique_values:,}")
                    Text("td", "; ".join(each.notes))
                    with box("td", "clip"):
                        Text("span", each.sample_value or "", "mono")
    if len(signatures) > COLUMNS_SHOWN:
        Text("p", f"and {len(signatures) - COLUMNS_SHOWN:,} more columns", "muted")
