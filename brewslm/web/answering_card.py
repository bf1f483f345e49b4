"""What answers in a slot, and how it fares."""

from collections.abc import Sequence

from brewslm.observe.deployments import DeploymentView, SlotView
from brewslm.observe.drift import CheckView
from brewslm.observe.gateway import VersionStatistics
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import stats
from brewslm.web.words import Sign, milliseconds


def answering(slot: SlotView, traffic: Sequence[VersionStatistics], days: str, looks: Sequence[CheckView]) -> None:
    """The version, whether its model server is up, and its figures; inside a card.

    Args:
        traffic: Of the last `days`, in words.
        looks: Drift checks, newest first.
    """
    one = slot.answering
    if one is None:
        waiting = "Promote one of the versions below." if slot.pending else "Make a version of an export, then promote it."
        Text("p", f"Nothing answers in {slot.name}. {waiting}", "empty")
        return
    with box("div", "card-head"):
        Text("h2", f"{slot.name} v{one.version} answers")
        Badge(live_sign(one))
    if one.problem:
        Text("p", f"Its model server could not be started: {one.problem}", "is-failed")
    counted = next((each.statistics for each in traffic if each.deployment == one.id), None)
    latency = counted.latency_seconds if counted else None
    stats([
        ("Requests", f"{counted.requests:,}" if counted else "0", days),
        ("Errors", f"{counted.errors:,}" if counted else "0", days),
        ("Latency p50", milliseconds(latency.p50 if latency else None), f"p95 {milliseconds(latency.p95)}" if latency else ""),
        ("Tokens/s p50", _speed(counted.tokens_per_second.p50) if counted else "–", ""),
        ("Last look", *_last_look(looks, one.id)),
    ])  # fmt: skip
    with box("div", "actions"):
        link("Ask it in the playground", f"/projects/{slot.project}/playground?left=deployment-{one.id}", "button")
        link("Its passport", f"/models/deployment-{one.id}", "button")


def live_sign(one: DeploymentView) -> Sign:
    """Whether its model server is up."""
    if one.base_url:
        return Sign("done", "its model server is up")
    return Sign("failed", "not up") if one.problem else Sign("needs", "not up: brewslm serve starts it")


def _speed(found: float | None) -> str:
    return "–" if found is None else f"{found:,.0f}"


def _last_look(found: Sequence[CheckView], deployment: int) -> tuple[str, str]:
    newest = next((one for one in found if one.deployment == deployment and one.look is not None), None)
    return (newest.verdict, f"look {newest.look}") if newest else ("–", "no drift check")
