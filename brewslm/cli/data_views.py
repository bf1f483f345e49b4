"""How stages 1 to 4 are shown to a person."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brewslm.cli.console import print_line, print_table

if TYPE_CHECKING:
    from brewslm.pipeline.importing import Imported, KeptSource
    from brewslm.stages.introspect import Introspection
    from brewslm.stages.mapping import Preview

_SAMPLE_WIDTH = 90
_LABELS_SHOWN = 12


def stage_line(number: int, name: str, subject: str, figures: str, seconds: float) -> None:
    """One line on stderr for a stage that is done; it stays."""
    print(f"{number:02d} {name:<11} {subject:<28} {figures:<44} {seconds:6.1f} s", file=sys.stderr)


def counts(by_reason: dict[str, int]) -> str:
    """Counts by reason in brackets, the largest first; "" when there are none."""
    parts = [f"{reason} {count:,}" for reason, count in sorted(by_reason.items(), key=lambda pair: -pair[1])]
    return f" ({', '.join(parts)})" if parts else ""


def stage_lines(quiet: bool) -> "Callable[[KeptSource | Introspection], None]":
    """Prints a line for each of stages 1 and 2 as it is done."""
    from brewslm.stages.introspect import Introspection

    began = time.monotonic()

    def line(done: "KeptSource | Introspection") -> None:
        nonlocal began
        seconds, began = time.monotonic() - began, time.monotonic()
        if quiet:
            return
        if not isinstance(done, Introspection):
            known = "" if done.ingested else ", kept already"
            figures = f"{done.row_count:,} rows, {sum(done.sentinel_counts.values()):,} unparseable{known}"
            stage_line(1, "ingest", short(done.locator), figures, seconds)
        elif done.proposal is None:
            stage_line(2, "introspect", "no proposal", f"{done.sampled:,} rows sampled", seconds)
        else:
            stage_line(2, "introspect", done.proposal.mapper_id, f"confidence {done.proposal.confidence:.2f}", seconds)

    return line


def short(locator: str, width: int = 28) -> str:
    """A locator that fits its column: the end of a path says more than its beginning."""
    scheme, _, reference = locator.partition(":")
    room = width - len(scheme) - 2
    return locator if len(locator) <= width else f"{scheme}:…{reference[-room:]}"


def show_introspection(found: "Introspection") -> None:
    """Columns, then the hypotheses in their order."""
    reach = "over the whole source" if found.sample_reach == "file" else "from its beginning"
    print_line(f"{found.locator}: about {found.approximate_total_rows:,} rows, {found.sampled:,} of them sampled {reach}")
    for note in found.notes:
        print_line(f"  {note}")
    print_line("")
    print_table(
        [
            (each.name, each.column_type.value, f"{each.confidence:.2f}", f"{each.unique_values:,}", "; ".join(each.notes))
            for each in found.column_signatures
        ],
        ("column", "type", "sure", "different", "measured"),
    )
    print_line("")
    if found.proposal is None:
        print_line("no mapper suits these columns; see  brewslm mappers")
        return
    for number, each in enumerate(found.hypotheses, 1):
        print_line(f"{number}. {each.mapper_id}  {each.confidence:.2f}  {field_map(each.field_map)}")
        print_line(f"   {each.rationale}")
        for warning in each.warnings:
            print_line(f"   but: {warning}")
    if found.proposal.needs_force:
        print_line(f"under {found.confidence_threshold:.2f}: it will not be taken without --force")


def field_map(entries: dict[str, str]) -> str:
    """A field map in one line."""
    return ", ".join(f"{field}={column}" for field, column in entries.items())


def show_preview(preview: "Preview", project: int) -> None:
    """The counts over the whole source, then a sample."""
    for line in result_lines(preview.model_dump(mode="json")):
        print_line(line)
    for row in preview.accepted_sample:
        print_line(f"  + {_one_line(row['payload'])}")
    for row in preview.rejected_sample:
        print_line(f"  - row {row['position']:,} {row['reason']}: {row['detail'] or _one_line(row['raw'])}"[: _SAMPLE_WIDTH + 20])
    print_line("dry run: nothing was written")
    print_line(f"next: the same command with --commit appends {preview.accepted_count:,} rows to project {project}")


def show_commit(done: "Imported") -> None:
    """The counts, and where the rows stand now."""
    assert done.run is not None and done.run.result is not None
    result: dict[str, Any] = done.run.result
    for line in result_lines(result):
        print_line(line)
    print_line(f"{done.run.task_id}: appended to {result['written_path']}; the rejected rows stand in {result['rejected_path']}")
    print_line(f"next: brewslm prepare --project {done.run.project}")


_DRAWN = {
    "sample": "{0:,} of the source's {1:,} rows, drawn from all of it (the same ones each time)",
    "head": "the source's first {0:,} rows: to fetch it whole would be dear",
}


def result_lines(result: dict[str, Any]) -> list[str]:
    """The mapping and the counts of a dry run or a commit."""
    accepted, rejected, confidence = result["accepted_count"], result["rejected_count"], result["confidence"]
    sure = "named by you" if confidence is None else f"confidence {confidence:.2f}"
    lines = [f"{result['mapper_id']} → {result['target_task_profile']}  {sure}  {field_map(result['field_map'])}"]
    if result["drawn"] in _DRAWN:
        lines.append(_DRAWN[result["drawn"]].format(accepted + rejected, result["source_rows"]))
    lines.append(f"{accepted:,} accepted, {rejected:,} rejected{counts(result['rejection_counts'])}")
    if 1 < len(result["labels"]) <= _LABELS_SHOWN:
        lines.append(f"labels{counts(result['labels'])}")
    return lines + [f"but: {note}" for note in result["notes"]]


def _one_line(payload: dict[str, Any]) -> str:
    said = "  ".join(f"{name}: {' '.join(str(value).split())}" for name, value in payload.items())
    return said if len(said) <= _SAMPLE_WIDTH else f"{said[: _SAMPLE_WIDTH - 1]}…"
