"""What preflight says of a training: does it fit, how long does it take, what stands against it, and three plans beside it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from brewslm.models.memory import spread
from brewslm.observe.figures import counted
from brewslm.observe.training_offer import TrainingOffer
from brewslm.pipeline.runs import RunView
from brewslm.web.changes import setting
from brewslm.web.parts import Badge, Text, box, button, link
from brewslm.web.pieces import stats
from brewslm.web.words import Sign, duration, memory_size, plain

FITS, BLOCKED = Sign("done", "fits"), Sign("failed", "blocked")
PARTS = ("weights", "trained", "activations", "logits", "overhead", "runtime")
PLAN_WORDS = {"safe": "Safe", "balanced": "Balanced", "max_quality": "Best quality"}
FIELD_OF = {
    "memory_does_not_fit": "pack_tokens", "disk_does_not_fit": "checkpoints", "rows_over_length": "max_length",
    "rows_over_window": "max_length", "rows_over_context": "max_length", "no_trainable_rows": "max_length",
    "recipe_objective": "objective", "dependency_missing": "method", "template_unusable": "base_model",
    "template_mask_missing": "base_model", "stop_token_missing": "base_model", "architecture_not_trainable": "base_model",
    "scores_are_capped": "base_model", "tokenizer_mismatch": "base_model", "one_label": "manifest", "no_eval_rows": "manifest",
    "handler_missing": "manifest", "gate_undecidable": "eval_pack", "gate_without_rows": "eval_pack",
    "gate_metric_unknown": "eval_pack", "gate_class_unknown": "eval_pack", "gate_system_unknown": "eval_pack",
}  # fmt: skip
"""The field that a finding is shown beside; one that is missing here is told above the plans alone."""


class CheckView:
    """The result of a preflight.

    Args:
        take: Gets a plan's changes, to fill them in.
    """

    def __init__(self, project: int, run: RunView, take: Callable[[Mapping[str, Any]], None]) -> None:
        result = run.result or {}
        plan = result.get("plan")
        with box("section", "card", aria_labelledby="preflight"):
            with box("div", "card-head"):
                Text("h2", "Preflight", id="preflight")
                with box("span", "event-head"):
                    Badge(FITS if result.get("passed") else BLOCKED)
                    link(run.task_id, f"/projects/{project}/runs/{run.task_id}", "mono")
            _findings(result.get("findings", []))
            if plan:
                _figures(plan)
                Text("h3", "Memory")
                _memory(plan, result.get("probe"))
        if result.get("plans"):
            with box("section", "card", aria_labelledby="plans"):
                Text("h2", "Three plans", id="plans")
                Text("p", "Each changes the recipe as it stands above; to take one fills its values in.", "muted")
                with box("ol", "plans"):
                    for one in result["plans"]:
                        _plan(one, take)


def _findings(found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        Text("p", "Nothing stands against it.", "muted")
        return
    with box("ul", "lines"):
        for one in found:
            with box("li", "event-head"):
                Badge(Sign("failed", "blocks") if one["severity"] == "blocker" else Sign("needs", "warning"))
                Text("span", one["code"], "mono event-code")
                Text("span", f"{one['measured']}; the limit is {one['limit']}. Next: {one['next_step']}")


def _figures(plan: Mapping[str, Any]) -> None:
    threads = counted(plan["runtime"]["threads"], "thread")
    stats([
        ("Time, about", duration(plan["seconds"]), plan["seconds_basis"]),
        ("Rows", f"{plan['rows']:,}", counted(plan["steps"], "step")),
        ("Tokens", f"{plan['tokens']:,}", f"the longest row {plan['longest_tokens']:,}"),
        ("Memory", memory_size(plan["memory_bytes"]["total"]), f"of {memory_size(plan['runtime']['memory_bytes'])} to use"),
        ("Machine", plan["runtime"]["device"], f"{threads}, {plan['runtime']['precision']}"),
    ])  # fmt: skip


def _memory(plan: Mapping[str, Any], probe: Mapping[str, Any] | None) -> None:
    """Needed against free, by part, to scale; the uncertainty as a span above the end of the bar."""
    needs, free = plan["memory_bytes"], plan["runtime"]["memory_bytes"]
    total = needs["total"]
    low, high = spread(total) if plan["memory_basis"] == "measured" else (total, total)
    scale = max(free, high) * 1.02
    uncertain = (
        f"between {memory_size(low)} and {memory_size(high)}" if high > low else "by formula: not measured on this kind of device"
    )
    said = f"{memory_size(total)} needed, {uncertain}; {memory_size(free)} to use"
    with box("div", "memory"):
        with box("div", "memory-bar", role="img", aria_label=said):
            for place, name in enumerate(PARTS, 1):
                box("span", "memory-part").style(f"width: {100 * needs[name] / scale:.2f}%; background: var(--chart-{place})")
            box("span", "memory-spread").style(f"left: {100 * low / scale:.2f}%; width: {100 * (high - low) / scale:.2f}%")
            box("span", "memory-free").style(f"left: {100 * free / scale:.2f}%")
        Text("p", said, "figure" + ("" if total <= free else " is-failed"))
        with box("ul", "memory-parts"):
            for place, name in enumerate(PARTS, 1):
                with box("li"):
                    box("span", "memory-key", aria_hidden="true").style(f"background: var(--chart-{place})")
                    Text("span", f"{name} {memory_size(needs[name])}", "figure")
        if probe:
            peak, estimated = memory_size(probe["peak_memory_bytes"]), memory_size(probe["estimated_bytes"])
            measured = f"Measured by the probe: {peak} where {estimated} was estimated"
            Text("p", f"{measured}; {probe['seconds_per_step']:.2f} s a step on the longest batch.", "figure")


def _plan(one: Mapping[str, Any], take: Callable[[Mapping[str, Any]], None]) -> None:
    name = PLAN_WORDS[one["name"]]
    with box("li", "plan"):
        with box("div", "card-head"):
            Text("h3", name)
            Badge(FITS if one["fits"] else Sign("failed", "does not fit"))
        with box("dl", "values"):
            for title, said in (
                ("time", f"about {duration(one['seconds'])}"), ("memory", memory_size(one["memory_bytes"])),
                ("rows", f"{one['rows']:,}"), ("steps", f"{one['steps']:,}"),
            ):  # fmt: skip
                Text("dt", title)
                Text("dd", said, "figure")
        if not one["changes"]:
            Text("p", "It is the recipe as it stands.", "muted")
            return
        with box("ul", "plan-changes"):
            for change in one["changes"]:
                with box("li"):
                    Text("p", f"{plain(change['field'])} {setting(change['from'])} → {setting(change['to'])}", "figure")
                    Text("p", change["reason"], "muted")
        changed = {change["field"]: change["to"] for change in one["changes"]}
        button(f"Take the {name.lower()} plan", partial(take, changed))


def takes(result: Mapping[str, Any], offer: TrainingOffer) -> list[str]:
    """What a training will take, for the second click."""
    plan = result.get("plan")
    data = f"data v{offer.manifest}, base {offer.base_model}, recipe {offer.recipe}"
    end = "It can be paused, cancelled and resumed. Nothing is promoted, and no row is changed."
    if not plan:
        unsaid = "These settings were not checked: preflight runs first, and ends the run if they can't work here."
        return [f"A new experiment: {data}.", unsaid, end]
    memory = f"{memory_size(plan['memory_bytes']['total'])} of {memory_size(plan['runtime']['memory_bytes'])}"
    took = f"about {duration(plan['seconds'])} of this machine's processor, {memory}."
    cost = f"{counted(plan['rows'], 'row')}, {counted(plan['steps'], 'step')}, {took}"
    blocked = [] if result["passed"] else ["Preflight found blockers: the run will end there, unless they are mended first."]
    return [f"A new experiment: {data}.", cost, *blocked, end]
