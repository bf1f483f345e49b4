"""The Lab Journal as a fold over the event stream: nothing is kept, and the same events always give the same journal.

It is asked of a million events at once, so it is written for speed: what the tables of journal_rules.py say is laid out once, and
each event costs a few look-ups. tests/observe/plain_replay.py says the same plainly, and a test holds the two against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from brewslm.observe.journal_rules import (
    ACHIEVEMENTS,
    BEATEN,
    CHANGES,
    DEEDS,
    LEAK_REASONS,
    LEAKS,
    MENDED,
    Achievement,
    Deed,
    Payload,
    beats_its_base,
)
from brewslm.processes.origin import STOPPED

_BY_COUNT: dict[str, list[Achievement]] = {}
for _one in ACHIEVEMENTS:
    _BY_COUNT.setdefault(_one.counts, []).append(_one)
_COUNTED = {*_BY_COUNT, *(deed.counts for deed in DEEDS.values())}
_NEVER = 1 << 62


class Event(NamedTuple):
    """What is read of one: its place in the stream, and its payload. One of a code that earns nothing is a failure."""

    id: int
    project: int
    ts: str
    code: str
    run_id: str | None
    payload: dict[str, Any]


class Award(NamedTuple):
    """Experience that an event earned, and for what."""

    event: int
    project: int
    ts: str
    experience: int
    why: str


class Unlocked(NamedTuple):
    """An achievement, and the event that unlocked it."""

    achievement: str
    event: int
    project: int
    ts: str


@dataclass
class Replay:
    """The journal so far. Events must come as the stream has them, by growing id: one that was read is not counted again."""

    counts: Counter[str] = field(default_factory=Counter)
    earned: list[tuple[int, int, str, int, str]] = field(default_factory=list)
    """The awards as plain tuples: there are as many as events."""
    unlocked: dict[str, Unlocked] = field(default_factory=dict)
    last_id: int = 0
    _seen: defaultdict[tuple[int, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    """Project and what is counted → by what each deed is told from the others: plain values, which Python's collector of cycles
    leaves alone."""
    _data: dict[tuple[int, Any], bytes] = field(default_factory=dict)
    """Project and manifest version → what stands in it."""
    _rows_trained: dict[tuple[int, str], int] = field(default_factory=dict)
    """Project and experiment, of those whose training earned something → the rows that it was trained on."""
    _failed: dict[tuple[int, str], set[tuple[str, str]]] = field(default_factory=dict)
    """Project and kind of run → faults since its last success."""
    _mended: set[tuple[int, str, str]] = field(default_factory=set)
    _retried: set[tuple[int, str]] = field(default_factory=set)
    _early: set[tuple[int, str]] = field(default_factory=set)
    _drifted: set[tuple[int, int]] = field(default_factory=set)
    _slots: dict[tuple[int, str], int] = field(default_factory=dict)
    """Project and slot → the version that answers there."""
    _last_day: str = ""
    _day_over: str = ""
    """Greater than any moment of the last day, and less than those of the next."""
    _next: dict[str, int] = field(default_factory=lambda: {name: _least(_BY_COUNT.get(name, ())) for name in _COUNTED})
    """By what is counted: how many unlock the next achievement."""

    @property
    def experience(self) -> int:
        """All that was earned."""
        return sum(award[3] for award in self.earned)

    @property
    def awards(self) -> list[Award]:
        """Everything that was earned, in the order of the stream."""
        return list(map(Award._make, self.earned))

    def feed(self, events: Iterable[Event]) -> "Replay":
        """Go on with these events; returns itself.

        The one loop of a million rounds: what most events need stands in it, and the rest in functions of its own.
        """
        rules, seen, counts, next_, earned, failed = _RULES, self._seen, self.counts, self._next, self.earned, self._failed
        last = self.last_id
        for event in events:
            id_, project, ts, code, run_id, payload = event
            if id_ <= last:
                continue
            last = id_
            rule = rules.get(code)
            if rule is None:
                self._read_beside(event)
                continue
            name, experience, earns, pick, special, note, more = rule
            if note is not None:
                note(self, event)
            if earns is not None and not earns(payload):
                continue
            if failed and (project, (run_id or "").rpartition("-")[0]) in failed:
                self._mend(event)
            alike = seen[project, name]
            known = len(alike)
            try:
                alike.add(pick(payload) if special is None else (pick(payload), special(self, event)))
            except (KeyError, TypeError):  # a field is not there, or holds a list or a dictionary
                alike.add(self._told(event))
            if len(alike) == known:
                continue
            earned.append((id_, project, ts, experience, name))
            if ts > self._day_over:
                self._begin_day(event)
            value = counts[name] = counts[name] + 1
            if value >= next_[name]:
                self._set(event, name, value)
            if more is not None:
                more(self, event)
        self.last_id = last
        return self

    def _told(self, event: Event) -> Any:
        """By what one deed is told from another, whatever its payload holds."""
        _, _, _, _, special, *_ = _RULES[event[3]]
        values = [event[5].get(one) for one in DEEDS[event[3]].once_per if not one.startswith("@")]
        plain = [str(one) if isinstance(one, dict | list) else one for one in values]
        said = plain[0] if len(plain) == 1 else tuple(plain)
        return said if special is None else (said, special(self, event))

    def _is_new(self, project: int, name: str, said: Any) -> bool:
        """Whether this was not counted under the name yet; from now on it is."""
        alike = self._seen[project, name]
        known = len(alike)
        alike.add(said)
        return len(alike) > known

    def _read_beside(self, event: Event) -> None:
        """One that earns nothing by its code alone: a change of a slot, what later events are judged by, a failure."""
        _BESIDE.get(event[3], Replay._fail)(self, event)

    def _change(self, event: Event) -> None:
        """By its action it may be a deed."""
        action, project, payload = event[5]["action"], event[1], event[5]
        deed = CHANGES.get(action)
        if deed is None:
            return
        slot, version = (project, payload["slot"]), payload["deployment_version_id"]
        left, self._slots[slot] = self._slots.get(slot), version
        self._mend(event)
        if not self._is_new(project, deed.counts, tuple(map(payload.get, deed.once_per))):
            return
        self._award(event, deed.experience, deed.counts)
        self._count(event, deed.counts)
        if (
            action == "rollback" and left is not None and (project, left) in self._drifted
        ):  # the event names the one that answers again
            self._count(event, "honest_rollbacks")

    def _award(self, event: Event, experience: int, why: str) -> None:
        self.earned.append((event[0], event[1], event[2], experience, why))
        if event[2] > self._day_over:
            self._begin_day(event)

    def _begin_day(self, event: Event) -> None:
        before, self._last_day = self._last_day, event[2][:10]
        self._day_over = f"{self._last_day}~"
        follows = before != "" and date.fromisoformat(self._last_day) - date.fromisoformat(before) == timedelta(days=1)
        self._set(event, "streak", self.counts["streak"] + 1 if follows else 1)

    def _count(self, event: Event, name: str, more: int = 1) -> None:
        value = self.counts[name] = self.counts[name] + more
        if value >= self._next.get(name, _NEVER):
            self._set(event, name, value)

    def _set(self, event: Event, name: str, value: int) -> None:
        self.counts[name] = value
        for one in _BY_COUNT.get(name, ()):
            if value >= one.times and one.id not in self.unlocked:
                self.unlocked[one.id] = Unlocked(one.id, event[0], event[1], event[2])
                self.earned.append((event[0], event[1], event[2], one.experience, one.id))
        self._next[name] = _least(one for one in _BY_COUNT.get(name, ()) if one.id not in self.unlocked)

    def _fail(self, event: Event) -> None:
        fault = str(event[5].get("signature", ""))
        if event[4] and fault != STOPPED:
            self._failed.setdefault((event[1], _kind(event)), set()).add((event[3], fault))

    def _mend(self, event: Event) -> None:
        """A run of this kind succeeded: each fault that was met since the last success is behind us, and counts once for ever."""
        faults = self._failed.pop((event[1], _kind(event)), None)
        for code, fault in sorted(faults or ()):
            key = (event[1], code, fault)
            if key not in self._mended:
                self._mended.add(key)
                self._award(event, MENDED, "mended")
                self._count(event, "mended")

    def _imported(self, event: Event) -> None:
        project, payload = event[1], event[5]
        accepted, rejected = payload["accepted_count"], payload["rejected_count"]
        self._count(event, "rows_accounted", accepted + rejected)
        if self._is_new(project, "sources", payload["source"]):
            self._count(event, "sources")
        if accepted >= 1000 and not rejected:
            self._count(event, "spotless")

    def _note_manifest(self, event: Event) -> None:
        """Later trainings are told apart by what stands in their manifest, whether or not it earned."""
        payload = event[5]
        content = [payload.get("task_profile"), payload.get("rows"), payload.get("ledger")]
        self._data[event[1], payload["manifest_version"]] = orjson.dumps(content)

    def _prepared(self, event: Event) -> None:
        ledger = event[5]["ledger"]
        if not ledger.keys().isdisjoint(LEAK_REASONS) and any(ledger.get(reason) for reason in LEAK_REASONS):
            self._award(event, LEAKS, "leaks_found")
            self._count(event, "leaks_found")

    def _trained(self, event: Event) -> None:
        payload, key = event[5], (event[1], event[5]["experiment_id"])
        self._rows_trained[key] = payload["trained_rows"]
        if self._is_new(event[1], "bases", payload["base_sha256"]):
            self._count(event, "bases")
        if key in self._retried:
            self._count(event, "squeezed")
        if key in self._early:
            self._count(event, "stopped_early")

    def _evaluated(self, event: Event) -> None:
        """Once an experiment, and only of one whose training earned: the same training again beats nothing anew."""
        project, payload = event[1], event[5]
        experiment = payload["experiment_id"]
        rows = self._rows_trained.get((project, experiment))
        if rows is None or not beats_its_base(payload) or not self._is_new(project, "beaten", experiment):
            return
        self._award(event, BEATEN, "beaten")
        self._count(event, "beaten")
        if rows < 100:
            self._count(event, "beaten_small")

    def _locked(self, event: Event) -> None:
        kappa, payload = event[5].get("kappa"), event[5]
        if payload["reviewers"] >= 2 and kappa is not None:
            if kappa >= 0.6:
                self._count(event, "agreed")
            if kappa == 1 and payload["rows"] >= 50:
                self._count(event, "unanimous")

    def _checked(self, event: Event) -> None:
        if event[5]["verdict"] == "steady":
            self._count(event, "steady")

    def _drift(self, event: Event) -> None:
        self._drifted.add((event[1], event[5]["deployment_version_id"]))

    def _retry(self, event: Event) -> None:
        self._retried.add((event[1], event[5]["experiment_id"]))

    def _stop_early(self, event: Event) -> None:
        self._early.add((event[1], event[5]["experiment_id"]))

    def _content(self, event: Event) -> Any:
        version = event[5].get("manifest_version")
        return self._data.get((event[1], version), version)


_Reader = Callable[[Replay, Event], None]
_Rule = tuple[
    str,
    int,
    Callable[[Payload], bool] | None,
    Callable[[Payload], Any],
    Callable[[Replay, Event], Any] | None,
    _Reader | None,
    _Reader | None,
]
"""A deed as the loop wants it: what counts it, its experience, whether it earns, what of its payload and what else the
same deed has in common, what is noted of it in any case, and what more it may earn."""
_NOTED: dict[str, _Reader] = {"dataset_prepared": Replay._note_manifest}
_MORE: dict[str, _Reader] = {
    "dataset_import_run": Replay._imported,
    "dataset_prepared": Replay._prepared,
    "training_completed": Replay._trained,
    "evaluation_completed": Replay._evaluated,
    "gold_set_locked": Replay._locked,
    "deployment_checked": Replay._checked,
    "deployment_drift_detected": Replay._drift,
}
_BESIDE: dict[str, _Reader] = {
    "deployment_changed": Replay._change,
    "training_retried_smaller": Replay._retry,
    "training_stopped_early": Replay._stop_early,
}
_SPECIAL: dict[str, Callable[[Replay, Event], Any]] = {"@day": lambda _, event: event[2][:10], "@data": Replay._content}


def _rule(code: str, deed: Deed) -> _Rule:
    fields = tuple(one for one in deed.once_per if not one.startswith("@"))
    special = next((_SPECIAL[one] for one in deed.once_per if one.startswith("@")), None)
    pick: Callable[[Payload], Any] = itemgetter(*fields) if fields else lambda _: ()
    return deed.counts, deed.experience, deed.earns, pick, special, _NOTED.get(code), _MORE.get(code)


_RULES = {code: _rule(code, deed) for code, deed in DEEDS.items()}
READ = frozenset({*_RULES, *_BESIDE})
"""Codes that are read; of others, failures alone."""


def _least(achievements: Iterable[Achievement]) -> int:
    return min((one.times for one in achievements), default=_NEVER)


def _kind(event: Event) -> str:
    """Of the run: exp-3 is of the kind exp."""
    return (event[4] or "").rpartition("-")[0]


def streaks(days: Iterable[date]) -> tuple[int, int]:
    """Days in a row: those that end with the newest day, and the longest ever."""
    run = longest = 0
    before: date | None = None
    for day in sorted(set(days)):
        run = run + 1 if before is not None and day - before == timedelta(days=1) else 1
        longest, before = max(longest, run), day
    return run, longest
