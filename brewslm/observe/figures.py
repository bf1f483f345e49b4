"""The one figure that matters of each stage, with its counts: a plain function of what stands in the tables."""

from collections.abc import Callable
from typing import Any

from brewslm.observe.facts import Facts, only_tried

Counts = dict[str, int | float]
Figure = tuple[bool, str, Counts]
"""Whether the stage has something to show, what to show, and the counts behind it."""

_NOTHING: Figure = (False, "", {})


def _ingest(facts: Facts) -> Figure:
    if not facts.sources:
        return _NOTHING
    rows = sum(source.row_count for source in facts.sources)
    unparseable = sum(sum(source.sentinel_counts.values()) for source in facts.sources)
    counts = {"sources": len(facts.sources), "rows": rows, "unparseable": unparseable}
    return True, f"{rows:,} rows of {counted(len(facts.sources), 'source')}", counts


def _introspect(facts: Facts) -> Figure:
    if facts.import_run is None:
        return _NOTHING
    confidence = facts.imported.get("confidence")
    if confidence is None:
        return True, "mapped by hand", {}
    return True, f"confidence {confidence:.2f}", {"confidence": confidence}


def _preview(facts: Facts) -> Figure:
    ledger = _ledger(facts)
    if ledger is None:
        return _NOTHING
    rejected = sum(ledger["rejected"].values())
    return True, f"{rejected:,} rejected", {"rejected": rejected, **ledger["rejected"]}


def _commit(facts: Facts) -> Figure:
    ledger = _ledger(facts)
    if ledger is None:
        return _NOTHING
    return True, f"{facts.rows:,} rows", {"rows": facts.rows, "accepted": ledger["rows_out"]}


def _ledger(facts: Facts) -> dict[str, Any] | None:
    result = facts.import_run.result if facts.import_run else None
    return (result or {}).get("ledger")


def _clean(facts: Facts) -> Figure:
    cleaned = [one for one in facts.documents if one.cleaned is not None and one.reason is None]
    rejected = sum(1 for one in facts.documents if one.reason)
    waiting = sum(1 for one in facts.documents if one.cleaned is None)
    if not facts.documents:
        return _NOTHING
    chunks = sum((one.cleaned or {}).get("chunks", 0) for one in cleaned)
    counts = {"documents": len(cleaned), "rejected": rejected, "waiting": waiting, "chunks": chunks}
    said = f"{counted(waiting, 'document')} to clean" if waiting else f"{counted(len(cleaned), 'document')}, {chunks:,} chunks"
    return bool(cleaned or rejected), said, counts


def _prepare(facts: Facts) -> Figure:
    if facts.manifest is None:
        return _NOTHING
    rows = facts.manifest.rows
    said = " · ".join(f"{split} {count:,}" for split, count in rows.items())
    return True, f"v{facts.manifest.version}: {said}", dict(rows)


def _preflight(facts: Facts) -> Figure:
    run = facts.newest.get("preflight")
    trained = facts.experiment.created_at if facts.experiment else None
    if run is None or run.result is None or (trained and run.created_at < trained):  # training has a preflight of its own
        return (True, "passed", {"blockers": 0}) if trained else _NOTHING
    blockers = sum(1 for finding in run.result["findings"] if finding["severity"] == "blocker")
    return True, counted(blockers, "blocker") if blockers else "passed", {"blockers": blockers}


def _train(facts: Facts) -> Figure:
    if facts.experiment is None:
        return _NOTHING
    loss = facts.experiment.final_train_loss
    return True, f"{facts.experiment.run_id}: loss {loss:.3g}", {"final_train_loss": loss}


def _evaluate(facts: Facts) -> Figure:
    if facts.evaluation is None:
        return _NOTHING
    told = facts.evaluated
    missed = "gates met, in a try" if only_tried(facts.evaluation) else "gates not met"
    verdict = "promotable" if facts.evaluation.promotable else missed
    if not told:
        return True, verdict, {}
    said = f"{told['metric']} {told['tuned']:.3f}, base {told['base']:.3f}: {verdict}"
    return True, said, {name: told[name] for name in ("n", "tuned", "base", "gates", "gates_met")}


def _export(facts: Facts) -> Figure:
    if facts.export is None:
        return _NOTHING
    return True, counted(len(facts.export.artifacts), "artifact"), {"artifacts": len(facts.export.artifacts)}


def _deploy(facts: Facts) -> Figure:
    pending = sum(1 for version in facts.versions if version.state == "pending")
    counts: Counts = {"versions": len(facts.versions), "pending": pending, "slots": len(facts.slots)}
    if facts.slots:
        return True, ", ".join(f"{name}: v{version.version}" for name, version in facts.slots.items()), counts
    if not facts.versions:
        return _NOTHING
    return True, f"{pending:,} pending" if pending else "none promoted", counts


def counted(count: int, noun: str, nouns: str = "") -> str:
    """ "1 source", "2 sources"; `nouns` where that is not the noun and an s, such as "rows were" of "row was"."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


FIGURES: dict[str, Callable[[Facts], Figure]] = {
    "ingest": _ingest,
    "introspect": _introspect,
    "map_preview": _preview,
    "map_commit": _commit,
    "clean": _clean,
    "prepare": _prepare,
    "preflight": _preflight,
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "deploy": _deploy,
}
"""By stage id; a stage without one is shown by its runs alone."""
