"""The Lab Journal's fold, said plainly: one event after the other, each rule looked up where it is needed.

It is the specification of observe/journal_replay.py, which says the same for speed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson

from brewslm.observe.journal_replay import Award, Unlocked
from brewslm.observe.journal_rules import (
    ACHIEVEMENTS,
    BEATEN,
    CHANGES,
    LEAK_REASONS,
    LEAKS,
    MENDED,
    Achievement,
    Payload,
    beats_its_base,
    deed_of,
)
from brewslm.processes.origin import STOPPED

_BY_COUNT: dict[str, list[Achievement]] = {}
for _one in ACHIEVEMENTS:
    _BY_COUNT.setdefault(_one.counts, []).append(_one)


class Event(NamedTuple):
    """What is read of one: its place in the stream, and its payload as it stands there."""

    id: int
    project: int
    ts: str
    severity: str
    code: str
    run_id: str | None
    payload: str


@dataclass
class Replay:
    """The journal so far. Events must come as the stream has them, by growing id: one that was read is not counted again."""

    experience: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    awards: list[Award] = field(default_factory=list)
    unlocked: dict[str, Unlocked] = field(default_factory=dict)
    last_id: int = 0
    _seen: set[tuple[Any, ...]] = field(default_factory=set)
    _data: dict[tuple[int, Any], str] = field(default_factory=dict)
    """Project and manifest version → what stands in it."""
    _earned: dict[tuple[int, str], Payload] = field(default_factory=dict)
    """Project and experiment, of those whose training earned something → its payload."""
    _failed: dict[tuple[int, str], set[tuple[str, str]]] = field(default_factory=dict)
    """Project and kind of run → faults since its last success."""
    _mended: set[tuple[int, str, str]] = field(default_factory=set)
    _retried: set[tuple[int, str]] = field(default_factory=set)
    _early: set[tuple[int, str]] = field(default_factory=set)
    _drifted: set[tuple[int, int]] = field(default_factory=set)
    _slots: dict[tuple[int, str], int] = field(default_factory=dict)
    """Project and slot → the version that answers there; `_left` is the one that answered before the present event."""
    _left: int | None = None
    _last_day: str = ""

    def feed(self, events: Iterable[Event]) -> "Replay":
        """Go on with these events; returns itself."""
        for event in events:
            if event[0] > self.last_id:
                self.last_id = event[0]
                self._read(event)
        return self

    def _read(self, event: Event) -> None:
        payload = orjson.loads(event.payload)
        if event.code in _NOTED:
            self._note(event, payload)
        deed = deed_of(event.code, payload)
        if deed is None:
            if event.severity in ("error", "critical") and event.run_id:
                self._fail(event, payload)
            return
        if deed.earns is not None and not deed.earns(payload):
            return
        if self._failed:
            self._mend(event)
        values = tuple(self._value(event, payload, name) for name in deed.once_per)
        key = (event.project, deed.counts, *values)
        if key in self._seen:
            return
        self._seen.add(key)
        self._award(event, deed.experience, deed.counts)
        self._count(event, deed.counts)
        more = _MORE.get(event.code)
        if more is not None:
            more(self, event, payload)

    def _value(self, event: Event, payload: Payload, name: str) -> Any:
        if name == "@day":
            return event.ts[:10]
        if name == "@data":
            version = payload.get("manifest_version")
            return self._data.get((event.project, version), version)
        value = payload.get(name)
        return str(value) if isinstance(value, dict | list) else value

    def _note(self, event: Event, payload: Payload) -> None:
        """What later events are judged by, whether or not this one earns."""
        match event.code:
            case "dataset_prepared":
                content = [payload.get("task_profile"), payload.get("rows"), payload.get("ledger")]
                self._data[event.project, payload["manifest_version"]] = str(content)
            case "training_retried_smaller":
                self._retried.add((event.project, payload["experiment_id"]))
            case "training_stopped_early":
                self._early.add((event.project, payload["experiment_id"]))
            case "deployment_changed" if payload["action"] in CHANGES:
                slot = (event.project, payload["slot"])
                self._left = self._slots.get(slot)
                self._slots[slot] = payload["deployment_version_id"]

    def _fail(self, event: Event, payload: Payload) -> None:
        fault = str(payload.get("signature", ""))
        if fault != STOPPED:
            self._failed.setdefault((event.project, _kind(event)), set()).add((event.code, fault))

    def _mend(self, event: Event) -> None:
        """A run of this kind succeeded: each fault that was met since the last success is behind us, and counts once for ever."""
        for code, fault in sorted(self._failed.pop((event.project, _kind(event)), ())):
            key = (event.project, code, fault)
            if key not in self._mended:
                self._mended.add(key)
                self._award(event, MENDED, "mended")
                self._count(event, "mended")

    def _award(self, event: Event, experience: int, why: str) -> None:
        self.experience += experience
        self.awards.append(Award(event.id, event.project, event.ts, experience, why))
        today = event.ts[:10]
        if today > self._last_day:
            before, self._last_day = self._last_day, today
            follows = before != "" and date.fromisoformat(today) - date.fromisoformat(before) == timedelta(days=1)
            self._set(event, "streak", self.counts["streak"] + 1 if follows else 1)

    def _count(self, event: Event, name: str, more: int = 1) -> None:
        self._set(event, name, self.counts[name] + more)

    def _set(self, event: Event, name: str, value: int) -> None:
        self.counts[name] = value
        for one in _BY_COUNT.get(name, ()):
            if value >= one.times and one.id not in self.unlocked:
                self.unlocked[one.id] = Unlocked(one.id, event.id, event.project, event.ts)
                self.experience += one.experience
                self.awards.append(Award(event.id, event.project, event.ts, one.experience, one.id))

    def _first(self, event: Event, name: str, value: Any) -> None:
        """Count a value that was not met before."""
        if (event.project, name, value) not in self._seen:
            self._seen.add((event.project, name, value))
            self._count(event, name)

    def _imported(self, event: Event, payload: Payload) -> None:
        self._count(event, "rows_accounted", payload["accepted_count"] + payload["rejected_count"])
        self._first(event, "sources", payload["source"])
        if payload["accepted_count"] >= 1000 and not payload["rejected_count"]:
            self._count(event, "spotless")

    def _prepared(self, event: Event, payload: Payload) -> None:
        if any(payload["ledger"].get(reason) for reason in LEAK_REASONS):
            self._award(event, LEAKS, "leaks_found")
            self._count(event, "leaks_found")

    def _trained(self, event: Event, payload: Payload) -> None:
        self._earned[event.project, payload["experiment_id"]] = payload
        self._first(event, "bases", payload["base_sha256"])
        if (event.project, payload["experiment_id"]) in self._retried:
            self._count(event, "squeezed")
        if (event.project, payload["experiment_id"]) in self._early:
            self._count(event, "stopped_early")

    def _evaluated(self, event: Event, payload: Payload) -> None:
        """Once an experiment, and only of one whose training earned: the same training again beats nothing anew."""
        trained = self._earned.get((event.project, payload["experiment_id"]))
        key = (event.project, "beaten", payload["experiment_id"])
        if trained is None or key in self._seen or not beats_its_base(payload):
            return
        self._seen.add(key)
        self._award(event, BEATEN, "beaten")
        self._count(event, "beaten")
        if trained["trained_rows"] < 100:
            self._count(event, "beaten_small")

    def _locked(self, event: Event, payload: Payload) -> None:
        kappa = payload.get("kappa")
        if payload["reviewers"] >= 2 and kappa is not None:
            if kappa >= 0.6:
                self._count(event, "agreed")
            if kappa == 1 and payload["rows"] >= 50:
                self._count(event, "unanimous")

    def _checked(self, event: Event, payload: Payload) -> None:
        if payload["verdict"] == "steady":
            self._count(event, "steady")

    def _drift(self, event: Event, payload: Payload) -> None:
        self._drifted.add((event.project, payload["deployment_version_id"]))

    def _changed(self, event: Event, payload: Payload) -> None:
        """A rollback's event names the version that answers again: what matters is the one that it left."""
        left = self._left
        if payload["action"] == "rollback" and left is not None and (event.project, left) in self._drifted:
            self._count(event, "honest_rollbacks")


_NOTED = ("dataset_prepared", "training_retried_smaller", "training_stopped_early", "deployment_changed")
_MORE = {
    "dataset_import_run": Replay._imported,
    "dataset_prepared": Replay._prepared,
    "training_completed": Replay._trained,
    "evaluation_completed": Replay._evaluated,
    "gold_set_locked": Replay._locked,
    "deployment_checked": Replay._checked,
    "deployment_drift_detected": Replay._drift,
    "deployment_changed": Replay._changed,
}


def _kind(event: Event) -> str:
    """Of the run: exp-3 is of the kind exp."""
    return (event.run_id or "").rpartition("-")[0]
