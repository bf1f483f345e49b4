"""What was found, as a file: the same filter, in four formats."""

from collections.abc import Mapping

from brewslm.observe.audit_export import Format
from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box
from brewslm.web.query import address

FORMATS: dict[Format, tuple[str, str]] = {
    "jsonl": ("JSON lines", "one record a line, events with their hashes"),
    "csv": ("CSV", "for a spreadsheet; no cell is taken for a formula"),
    "parquet": ("Parquet", "for pandas, DuckDB, Spark"),
    "cloudevents": ("CloudEvents", "a batch of envelopes, version 1.0"),
}


def export_menu(of: str, wanted: Mapping[str, str], total: int | None) -> None:
    """The menu.

    Args:
        of: calls or events.
        wanted: The filter's fields.
        total: How many fit, where that is known.
    """
    with box("details", "popover export"):
        Text("summary", f"Export {counted(total, of.removesuffix('s'))}" if total is not None else f"Export {of}", "button")
        with box("div", "popover-panel"):
            Text("p", "Everything that fits, oldest first; times in UTC.", "muted")
            with box("ul"):
                for format, (name, note) in FORMATS.items():
                    href = address(f"/api/audit/export/{of}", {**wanted, "format": format})
                    ending = "json" if format == "cloudevents" else format
                    with box("li"):
                        Text("a", name, "nicegui-link", href=href, download=f"{of}.{ending}")
                        Text("p", note, "muted")
