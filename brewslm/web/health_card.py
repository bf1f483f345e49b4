"""What is wrong with a project's data, from import to manifest, and what to do about it."""

from brewslm.observe.health import Finding, HealthReport, Severity
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.words import Sign, percent

SIGNS = {Severity.OK: Sign("done", "fine"), Severity.WARN: Sign("needs", "look at it"), Severity.BLOCK: Sign("failed", "mend it")}
NAMED = 5


def health_card(project: int, report: HealthReport) -> None:
    """Every finding, by the group that it is of."""
    with box("section", "card", aria_labelledby="health"):
        with box("div", "card-head"):
            Text("h2", "Data health", id="health")
            Badge(SIGNS[report.severity])
        if not report.findings:
            Text("p", "There is no data yet: what is wrong with it will stand here.", "empty")
        for group in dict.fromkeys(one.group for one in report.findings):
            Text("h3", group)
            with box("ul", "health"):
                for one in report.findings:
                    if one.group == group:
                        with box("li"):
                            _finding(project, one)


def _finding(project: int, one: Finding) -> None:
    with box("p", "event-head"):
        Badge(SIGNS[one.severity])
        Text("span", one.said, "figure")
        Text("span", _limit(one), "muted figure")
    if one.next_step:
        Text("p", f"Next: {one.next_step}", "muted")
    if one.ids and one.next_step:
        with box("p", "row-ids"):
            for each in one.ids[:NAMED]:
                if each.isdecimal():
                    link(f"document {each}", f"/projects/{project}/cleaning?document={each}")
                else:
                    link(each, f"/rows/{each}", "mono")
            if one.count > NAMED:
                Text("span", f"and {one.count - NAMED:,} more", "muted figure")


def _limit(one: Finding) -> str:
    """What it is held against, where that is a share."""
    found = [(name, bound) for name, bound in (("warns", one.limit.warn), ("blocks", one.limit.block)) if bound is not None]
    if not found or any(bound > 1 for _, bound in found):
        return ""
    side = "under" if one.limit.at_least else "over"
    return f"{percent(one.measured)}; " + ", ".join(f"{name} {side} {percent(bound)}" for name, bound in found)
