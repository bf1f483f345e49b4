"""The diary's sentences: one for each reason code that has its own, and one from its meaning for any other."""

from collections.abc import Callable, Mapping
from typing import Any

from brewslm.observe.figures import counted
from brewslm.reasons import REGISTRY

Payload = Mapping[str, Any]
WHO = {"schedule": "The schedule", "supervisor": "The supervisor"}
"""Actors that are no person; whoever else asked is "you"."""


def sentence(code: str, severity: str, run_id: str | None, actor: str, payload: Payload, who: str = "You") -> str:
    """One sentence about an event. A code without words of its own, or without what they need, is told by what it means.

    Args:
        who: What an actor that is a person is called.
    """
    if code in _WORDS:
        try:
            return f"{WHO.get(actor, who)} {_WORDS[code](payload)}."
        except (KeyError, TypeError, ValueError, AttributeError):
            pass  # a payload of an older version, or one that somebody edited: verify says which
    reason = REGISTRY.get(code)
    meaning = reason.meaning() if reason else f"{code.replace('_', ' ').capitalize()}."
    about = f"{run_id}: " if run_id else ""
    error = str(payload.get("problem") or payload.get("error") or "") if severity in ("error", "critical") else ""
    return f"{about}{meaning}" + (f" ({error[:120]})" if error else "")


def percent(share: float) -> str:
    """0.8876 as "88.8 %"."""
    return f"{share:.1%}".replace("%", " %")


def figure(value: float) -> str:
    """A share as percent; what is none, as it is."""
    return percent(value) if 0 <= value <= 1 else f"{value:.4g}"


def against_base(payload: Payload) -> str:
    """What an evaluation found, in a few words."""
    return f"{figure(payload['tuned'])} against the base's {figure(payload['base'])}"


def _imported(one: Payload) -> str:
    forced = ", forced" if one.get("forced") else ""
    rejected = one["rejected_count"]
    rest = f", {rejected:,} told why not" if rejected else ", every one of them"
    return f"imported {counted(one['accepted_count'], 'row')} from {one['source']} with {one['mapper']}{rest}{forced}"


def _cleaned(one: Payload) -> str:
    found = sum(one["pii_findings"].values())
    pii = f"; {counted(found, 'finding')} of personal data, policy {one['pii']}" if found else ""
    return f"cleaned {counted(one['documents'], 'document')} into {counted(one['chunks'], 'chunk')}{pii}"


def _prepared(one: Payload) -> str:
    ordered = sorted(one["rows"].items(), key=lambda split: ("train", "dev", "eval", split[0]).index(split[0]))
    sizes = ", ".join(f"{count:,} {split}" for split, count in ordered)
    kept_out = sum(one["ledger"].get(reason, 0) for reason in ("leak", "in_gold_set"))
    leaks = f"; {counted(kept_out, 'leak')} kept out" if kept_out else ""
    return f"froze manifest v{one['manifest_version']} for {one['task_profile']}: {sizes}{leaks}"


def _trained(one: Payload) -> str:
    forced = ", past what preflight blocks" if one.get("forced") else ""
    return f"trained {one['experiment_id']}: {counted(one['steps'], 'step')}, loss {one['final_train_loss']:.2f}{forced}"


def _evaluated(one: Payload) -> str:
    gates = f"; {one['gates_met']} of {one['gates']} gates met" if one["gates"] else ""
    return f"measured {one['experiment_id']} on {counted(one['n'], 'row')}: {one['metric']} {against_base(one)}{gates}"


def _exported(one: Payload) -> str:
    agreement = f", agreeing on {percent(one['agreement'])} of tokens" if one["agreement"] is not None else ""
    return f"exported {one['experiment_id']} as {one['format']}, {one['file_size_bytes'] / 1e6:,.1f} MB{agreement}"


def _changed(one: Payload) -> str:
    verb = {"create": "made", "promote": "promoted", "reject": "rejected", "rollback": "rolled back to"}.get(
        one["action"], "changed"
    )
    was = f", from {one['before']}" if one["before"] and one["action"] in ("promote", "rollback") else ""
    what = one["after"] if one["action"] in ("promote", "rollback") else f"version {one['deployment_version_id']}"
    return f"{verb} {what} at {one['slot']}{was}"


def _checked(one: Payload) -> str:
    figures = f"{one['metric']} {figure(one['now'])}, before {figure(one['before'])}"
    return f"asked {one['slot']} its {counted(one['n'], 'row')} again: {one['verdict']}, {figures}"


def _locked(one: Payload) -> str:
    kappa = f", kappa {one['kappa']:.2f}" if one["kappa"] is not None else ""
    return f"locked the gold set {one['gold_set']}: {counted(one['rows'], 'row')}, {counted(one['reviewers'], 'reviewer')}{kappa}"


_WORDS: dict[str, Callable[[Payload], str]] = {
    "dataset_import_run": _imported,
    "dataset_import_undone": lambda one: f"undid {one['import_run']}, and its {counted(one['rows'], 'row')}",
    "cleaning_completed": _cleaned,
    "dataset_prepared": _prepared,
    "training_completed": _trained,
    "training_reproduced": lambda one: f"trained {one['experiment_id']} again, to the same weights, byte by byte",
    "evaluation_completed": _evaluated,
    "gold_rows_reviewed": lambda one: f"reviewed {counted(sum(one['verdicts'].values()), 'row')} of {one['gold_set']}",
    "gold_set_locked": _locked,
    "export_completed": _exported,
    "deployment_changed": _changed,
    "deployment_checked": _checked,
}
