"""How often introspection proposes the right mapping, over `bench/layouts/`; no peer has a like figure to set beside it.

Run `python -m bench.introspect`, with `--verbose` to see each layout that is not right.
"""

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml

from bench import report
from bench.layouts import HELD_OUT, LAYOUTS, Layout, Slice
from brewslm.sources import SourceDescription
from brewslm.stages.introspect import CONFIDENCE_HIGH, ProposedMapping, introspect

FIRST_SIGHT = Path(__file__).parent / "layouts" / "first_sight.yaml"
BINS = (0.0, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)


@dataclass(frozen=True)
class Outcome:
    """What was proposed for a layout.

    Attributes:
        right: Mapper and field map are exactly those of the layout.
        sure: It was proposed at 0.80 or more.
    """

    layout: Layout
    proposal: ProposedMapping | None
    right: bool
    sure: bool


def outcome(layout: Layout) -> Outcome:
    """Introspect the rows of a layout."""
    rows = layout.rows()
    source = SourceDescription(
        source_id="jsonl", locator="jsonl:layout", resolved_path="layout", approximate_total_rows=len(rows),
        columns=list(layout.columns), sample_rows=rows, spread_rows=[],
    )  # fmt: skip
    found = introspect(source).proposal
    right = found is not None and (found.mapper_id, found.field_map) == (layout.mapper, layout.field_map)
    return Outcome(layout, found, right, found is not None and found.confidence >= CONFIDENCE_HIGH)


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """The shares over some layouts.

    `top1`: of the layouts that have a right mapping, how many have it at the head of the list. `right_when_sure`: of the
    proposals at 0.80 or more, how many are right; one for a layout without a right mapping is wrong. `sure`: of the
    layouts that have a right mapping, how many get it at 0.80 or more.
    """
    known = [one for one in outcomes if one.layout.mapper]
    sure = [one for one in outcomes if one.sure]
    return {
        "layouts": len(outcomes),
        "without_a_right_mapping": len(outcomes) - len(known),
        "top1": round(sum(one.right for one in known) / len(known), 4),
        "sure_proposals": len(sure),
        "right_when_sure": round(sum(one.right for one in sure) / max(1, len(sure)), 4),
        "sure": round(sum(one.right and one.sure for one in known) / len(known), 4),
    }


def reliability(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """How often a proposal of about some confidence is right; one for a layout without a right mapping is wrong."""
    proposed = [(one.proposal.confidence, one.right) for one in outcomes if one.proposal is not None]
    bins = ((low, high, [right for sure, right in proposed if low <= sure < high]) for low, high in pairwise(BINS))
    return [
        {"from": low, "below": high, "n": len(found), "right": round(sum(found) / len(found), 4)}
        for low, high, found in bins
        if found
    ]


def first_sight() -> dict[str, Any]:
    """What each slice gave before anything was learnt from it: kept, for it can't be measured again."""
    kept: dict[str, Any] = yaml.safe_load(FIRST_SIGHT.read_text())
    return kept


def measure(outcomes: list[Outcome]) -> dict[str, Any]:
    """The figures of all layouts, of the slice that was not learnt from, of each slice, and how far confidence can be trusted."""
    slices = {part: [one for one in outcomes if one.layout.part == part] for part in get_args(Slice)}
    return {
        "all": figures(outcomes),
        "held_out": figures(slices[HELD_OUT]),
        "slices": {part: figures(found) for part, found in slices.items()},
        "first_sight": first_sight(),
        "reliability": {"all": reliability(outcomes), "held_out": reliability(slices[HELD_OUT])},
    }


def main() -> None:
    """Judge every layout, and keep the figures; `--verbose` names what was judged wrong."""
    outcomes = [outcome(layout) for layout in LAYOUTS]
    if "--verbose" in sys.argv:
        for one in outcomes:
            if not one.right and (one.layout.mapper or one.sure):
                said = one.proposal and (one.proposal.mapper_id, one.proposal.field_map, one.proposal.confidence)
                print(f"{one.layout.part}: {one.layout.name}: {said}")
    goal = {
        f"{part}.{name}": {"at_least": least}
        for part in ("all", "held_out")
        for name, least in (("top1", 0.95), ("right_when_sure", 0.99))
    }
    report.write("introspect", measure(outcomes), {}, goal, ("pydantic",))


if __name__ == "__main__":
    main()
