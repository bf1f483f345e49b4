"""The audit spine at a million events: how fast it is written, verified, paged through, searched, clustered and replayed.

Run: python -m bench.audit (about 15 minutes), or with --quick at 20,000 events, which is kept nowhere. No peer has a like stream.

A page is what a face asks for: fifty events of each filter, and twenty trees: the newest, and from deep in the stream, either
way. A search is for words that are in one event, in some, and in nearly all. Each is timed as a caller sees it, in one process
that has the database open; the first of each kind counts like any other.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import report

EVENTS, QUICK_EVENTS = 1_000_000, 20_000
PLACES = 12
"""Deep places that are looked at with each filter."""
REPEATS = 3
GOAL: dict[str, dict[str, float]] = {
    "writes.full.emits_per_second": {"at_least": 2_000},
    "writes.full.gaps": {"at_most": 0},
    "writes.normal.emits_per_second": {"at_least": 4_000},
    "writes.normal.gaps": {"at_most": 0},
    "verification.events_per_second": {"at_least": 100_000},
    "verification.faults": {"at_most": 0},
    "store.events": {"at_least": EVENTS},
    "pages.p95_ms": {"at_most": 100},
    "trees.p95_ms": {"at_most": 100},
    "search.p95_ms": {"at_most": 200},
    "clusters.seconds": {"at_most": 3},
    "journal.seconds": {"at_most": 5},
}


def main() -> None:
    """Measure, and keep the result."""
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as folder:
        opened(Path(folder) / "home")
        measured = reads(QUICK_EVENTS if quick else EVENTS) | views()
        measured["writes"] = writes(quick)
    if quick:
        for name, figures in measured.items():
            print(name, figures)
        return
    report.write("audit", measured, {}, GOAL, ("sqlalchemy", "orjson"))


def opened(home: Path) -> None:
    """A new home, and its database."""
    from brewslm.store.database import engine, forget_connections

    os.environ["BREWSLM_HOME"] = str(home)
    os.environ.pop("BREWSLM_DATABASE_URL", None)
    forget_connections()
    engine()


def reads(events: int) -> dict[str, Any]:
    """Build the store, and time what reads it page by page."""
    from bench.audit_store import build
    from brewslm.settings import settings

    begun = time.perf_counter()
    build(events)
    seconds = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in settings().home.glob("brewslm.sqlite*"))
    return {
        "store": {
            "events": events,
            "build_seconds": round(seconds, 1),
            "events_per_second": round(events / seconds),
            "bytes": size,
        },
        "pages": pages(events),
        "trees": trees(events),
        "search": searches(events),
        "live": live(events),
    }


def pages(events: int) -> dict[str, Any]:
    """Flat pages: every filter, at the top and deep down."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import events as page

    def asked(wanted: dict[str, Any]) -> list[Callable[[], Any]]:
        kept = EventFilter(project=1, **wanted)
        deep = [lambda at=at: page(wanted=kept, before=at) for at in places(events)]
        back = [lambda at=at: page(wanted=kept, after=at) for at in places(events, seed=2)]
        return [lambda: page(wanted=kept), lambda: page(wanted=kept, after=0), *deep, *back]

    return timed({name: asked(wanted) for name, wanted in filters(events).items()})


def trees(events: int) -> dict[str, Any]:
    """Pages of trees, the same way."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.timeline import timeline

    chosen = {name: wanted for name, wanted in filters(events).items() if name in ("none", "severity", "stage", "run", "time")}

    def asked(wanted: dict[str, Any]) -> list[Callable[[], Any]]:
        kept = EventFilter(**wanted)
        deep = [lambda at=at: timeline(1, wanted=kept, before=at) for at in places(events)]
        back = [lambda at=at: timeline(1, wanted=kept, after=at) for at in places(events, seed=2)]
        return [lambda: timeline(1, wanted=kept), *deep, *back]

    return timed({name: asked(wanted) for name, wanted in chosen.items()})


def searches(events: int) -> dict[str, Any]:
    """Words from the rarest to the most common, alone and with a filter, at the top and deep down."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import events as page

    words = {
        "in one event": rare(events),
        "of one run": f"exp-{events // 20}",
        "some": "supervisor",
        "common": "training",
        "in nearly all": "cli",
        "two common": "cli general",
        "common and rare": f"json {events // 25}",
        "a phrase": '"no space left on device"',
        "a beginning": "evalu*",
        "in none": "quetzalcoatl",
    }
    wanted = {name: {"text": text} for name, text in words.items()}
    wanted |= {
        "common, of a rare code": {"text": "cli", "code": "model_server_restarted"},
        "common, errors": {"text": "cli", "severity": "error"},
        "common, of some days": {"text": "cli"} | filters(events)["time"],
    }

    def asked(said: dict[str, Any]) -> list[Callable[[], Any]]:
        kept = EventFilter(project=1, **said)
        deep = [lambda at=at: page(wanted=kept, before=at) for at in places(events)]
        return [lambda: page(wanted=kept), lambda: page(wanted=kept, after=0), *deep]

    return timed({name: asked(said) for name, said in wanted.items()})


def live(events: int) -> dict[str, Any]:
    """What one look for news costs, when there are none: every listener of a project shares it."""
    from brewslm.observe.following import newest
    from brewslm.store.database import reading

    def look() -> None:
        with reading() as session:
            assert newest(session, 1) == events

    return timed({"one look": [look] * 50})


def filters(events: int) -> dict[str, dict[str, Any]]:
    """Each filter of the timeline: what is common by it, and what is rare."""
    from bench.audit_store import BEGUN, DAYS

    start = BEGUN + timedelta(days=DAYS * 0.4)
    return {
        "none": {},
        "run": {"run": f"exp-{events // 30}"},
        "stage": {"stage": "training"},
        "severity": {"severity": "error"},
        "severity that most have": {"severity": "info"},
        "code": {"code": "training_oom"},
        "code that most have": {"code": "evaluation_completed"},
        "actor": {"actor": "cli:chen"},
        "actor who is rare": {"actor": "supervisor"},
        "time": {"since": start, "until": start + timedelta(days=3, hours=5, minutes=7)},
        "since": {"since": start},
        "until": {"until": start},
        "all at once": {"stage": "training", "severity": "error", "actor": "api", "since": start, "code": "training_timeout"},
        "nothing": {"stage": "cleaning"},
    }


def places(events: int, seed: int = 1) -> list[int]:
    """Cursors anywhere in the stream."""
    chance = random.Random(seed)
    return [chance.randint(2, events) for _ in range(PLACES)]


def rare(events: int) -> str:
    """A word that stands in one event: the hash of some adapter."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import events as page

    (found,) = page(wanted=EventFilter(project=1, code="training_completed"), before=events // 2, limit=1)
    return str(found.payload["adapter_sha256"])


def timed(asked: dict[str, list[Callable[[], Any]]]) -> dict[str, Any]:
    """Milliseconds of each kind, and of all together: median, the 95th of a hundred, and the slowest."""
    every, by_name = [], {}
    for name, calls in asked.items():
        taken = []
        for call in calls:
            begun = time.perf_counter()
            call()
            taken.append(1_000 * (time.perf_counter() - begun))
        every += taken
        by_name[name] = spread(taken)
    return spread(every) | {"asked": len(every), "by": by_name}


def spread(taken: list[float]) -> dict[str, float]:
    """Of milliseconds."""
    ordered = sorted(taken)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median_ms": round(statistics.median(ordered), 2), "p95_ms": round(p95, 2), "max_ms": round(ordered[-1], 2)}


def views() -> dict[str, Any]:
    """What reads the whole stream: verification, the failure clusters, the journal."""
    from brewslm.observe.clusters import clusters
    from brewslm.observe.journal import journal
    from brewslm.observe.journal_kept import forget_replays

    def replayed() -> None:
        forget_replays()
        journal(1)

    (count, faults), seconds = whole(verified)
    found, cluster_seconds = whole(lambda: clusters(1, limit=100))
    _, journal_seconds = whole(replayed)
    rate = round(count / seconds)
    return {
        "verification": {"seconds": seconds, "events_per_second": rate, "faults": len(faults)},
        "clusters": {"seconds": cluster_seconds, "found": len(found)},
        "journal": {"seconds": journal_seconds},
    }


def verified() -> Any:
    """How many events the chain has, and its faults."""
    from brewslm.audit import verify
    from brewslm.store.database import reading

    with reading() as session:
        return verify(session, 1)


def whole(call: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the median of its seconds."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        given = call()
        taken.append(time.perf_counter() - begun)
    return given, round(statistics.median(taken), 3)


def writes(quick: bool) -> dict[str, Any]:
    """Emits of eight writers at both durabilities, each in a home of its own."""
    from bench.audit_write import measure

    found: dict[str, Any] = measure(quick)
    return found


if __name__ == "__main__":
    main()
