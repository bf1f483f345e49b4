"""How much personal data is found, and how much is not personal that is taken for it; Presidio's patterns beside ours.

Run: python -m bench.pii. The texts (bench/personal/) are carrier sentences in six locales with values that Faker made, or
generators written from the public specifications; they run, and Presidio does, in a toolchain of their own with pinned versions.
`tune` was looked at while the patterns were written, `held_out` was not: its figures are the result. Both come from one hand,
so they say how well the patterns do what was meant, not how a stranger's texts would fare.

A span counts as found when type and place agree: the overlap is at least 0.8 of the union (`strict`: all of it). Presidio runs
with every recogniser that has a type here, in each text's language, with context words; its phone leniency (0, 1) and least score
(0 to 0.6) are those that do best on `tune`. What it has no recogniser for is left out of its own figures.
"""

import json
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path
from typing import Any

from bench.report import write
from brewslm.filters.pii import TYPES, find_pii
from brewslm.filters.preset import cleaning_preset
from brewslm.metrics.intervals import wilson
from brewslm.settings import settings

PINS = ("presidio-analyzer==2.2.366", "faker==40.63.0", "spacy==3.8.18", "phonenumbers==9.0.43", "tldextract==5.4.0", "pyyaml")
FOLDER = Path(__file__).parent / "personal"
SEEDS = {"tune": ("1", "20"), "held_out": ("20261124", "40"), "prose": ("3", "800")}
PROSE_OF_PEER = 40
OVERLAP = 0.8
SCORES = (0.0, 0.3, 0.4, 0.5, 0.6)
Spans = list[list[Any]]


def main() -> None:
    """Measure both and report."""
    python = toolchain()
    with tempfile.TemporaryDirectory(prefix="bench-pii-") as name:
        paths = {part: Path(name) / f"{part}.jsonl" for part in SEEDS}
        for part, (seed, count) in SEEDS.items():
            paths[part].write_text(run(python, "make.py", part, seed, count), encoding="utf-8")
        texts = {part: [json.loads(line) for line in path.read_text().splitlines()] for part, path in paths.items()}
        some = Path(name) / "some.jsonl"
        some.write_text("".join(json.dumps(one) + "\n" for one in texts["prose"][:PROSE_OF_PEER]))
        peers = peer_figures(python, paths, some, texts)
    write("pii", our_figures(texts), {"presidio": peers}, GOAL, ("phonenumbers", "python-stdnum"))


GOAL = {
    "held_out.micro.recall": {"at_least": 0.98},
    "held_out.micro.precision": {"at_least": 0.95},
    "held_out.types_at_goal": {"at_least": 10},
    "held_out.spans": {"at_least": 2000},
    "prose_mb_per_second": {"at_least": 5},
}


def toolchain() -> str:
    """The Python of the environment with the pinned packages, made at the first run."""
    folder = settings().cache / "toolchains" / "bench-pii"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS], check=True)
        (folder / ".ready").touch()
    return str(python)


def run(python: str, script: str, *arguments: str) -> str:
    """What a script of bench/personal prints, in the peer's Python."""
    return subprocess.run([python, FOLDER / script, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def our_figures(texts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Ours on both parts, and megabytes a second of prose: the median of five."""
    measured: dict[str, Any] = {}
    for part in ("tune", "held_out"):
        found, speed = ours(texts[part])
        measured[part] = figures(texts[part], found, TYPES) | {"mb_per_second": speed}
    rates = [ours(texts["prose"])[1] for _ in range(5)]
    return measured | {"prose_mb_per_second": sorted(rates)[2], "prose_spread": [min(rates), max(rates)]}


def ours(texts: list[dict[str, Any]]) -> tuple[list[Spans], float]:
    """Our spans of each text, and megabytes of UTF-8 a second of processor time."""
    preset = cleaning_preset().pii
    begun = time.process_time()
    found = [[[one.type, one.start, one.end] for one in find_pii(text["text"], preset)] for text in texts]
    return found, rate(texts, time.process_time() - begun)


def rate(texts: list[dict[str, Any]], seconds: float) -> float:
    """Megabytes of UTF-8 a second."""
    return round(sum(len(one["text"].encode()) for one in texts) / seconds / 1e6, 3)


def presidio(python: str, path: Path, leniency: int) -> tuple[list[Spans], float]:
    """The peer's spans of each text of a file, and the seconds that it took."""
    *lines, last = run(python, "peer.py", str(path), str(leniency)).splitlines()
    return [json.loads(line) for line in lines], json.loads(last)["seconds"]


def peer_figures(python: str, paths: dict[str, Path], some: Path, texts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Presidio at the settings that do best on `tune` (micro F1 over the types that it has)."""
    raw = {(part, leniency): presidio(python, paths[part], leniency) for part, leniency in product(("tune", "held_out"), (0, 1))}
    types = tuple(sorted({one[0] for found, _ in raw.values() for spans in found for one in spans}))

    def at(part: str, leniency: int, least: float) -> dict[str, Any]:
        found, seconds = raw[part, leniency]
        kept = [longest_first([one for one in spans if one[3] >= least]) for spans in found]
        return figures(texts[part], kept, types) | {"mb_per_second": rate(texts[part], seconds)}

    tried = {(leniency, least): at("tune", leniency, least)["micro"]["f1"] for leniency, least in product((0, 1), SCORES)}
    best = max(tried, key=lambda one: tried[one])
    prose = rate(texts["prose"][:PROSE_OF_PEER], presidio(python, some, best[0])[1])
    return {
        "versions": list(PINS), "settings": {"leniency": best[0], "least_score": best[1]},
        "tried_f1_on_tune": {f"leniency {leniency}, score {least}": f1 for (leniency, least), f1 in tried.items()},
        "held_out": at("held_out", *best), "prose_mb_per_second": prose,
    }  # fmt: skip


def longest_first(spans: Spans) -> Spans:
    """One span where several overlap: the best score, then the longest, as Presidio's anonymizer keeps it."""
    kept: Spans = []
    for one in sorted(spans, key=lambda span: (-span[3], span[1] - span[2])):
        if not any(one[1] < other[2] and other[1] < one[2] for other in kept):
            kept.append(one)
    return [one[:3] for one in kept]


def figures(texts: list[dict[str, Any]], found: list[Spans], types: tuple[str, ...]) -> dict[str, Any]:
    """Recall and precision of each type with Wilson's 95 % intervals, and over all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for text, spans in zip(texts, found, strict=True):
        for least, key in ((OVERLAP, "hit"), (1.0, "strict")):
            left = [one for one in spans if one[0] in types]
            for span in text["spans"]:
                match = next((one for one in left if one[0] == span[0] and overlap(one, span) >= least), None)
                if match:
                    left.remove(match)
                    counts[span[0]][key] += 1
        for one in spans:
            counts[one[0]]["found"] += 1
        for span in text["spans"]:
            counts[span[0]]["spans"] += 1
    by_type = {one: shares(counts[one]) for one in sorted(types)}
    every = sum((counts[one] for one in types), Counter())
    good = [one for one in by_type.values() if one["recall"] >= 0.98 and one["precision"] >= 0.95]
    return {"texts": len(texts), "spans": every["spans"], "micro": shares(every), "types_at_goal": len(good), "types": by_type}


def overlap(one: list[Any], other: list[Any]) -> float:
    """Intersection over union of two spans, in characters."""
    shared = min(one[2], other[2]) - max(one[1], other[1])
    return max(0, shared) / (max(one[2], other[2]) - min(one[1], other[1]))


def shares(counts: Counter[str]) -> dict[str, Any]:
    """Recall, precision and F1 of counted spans, with Wilson's intervals."""
    hit, spans, found = counts["hit"], counts["spans"], counts["found"]
    recall, precision = hit / spans if spans else 0.0, hit / found if found else 0.0
    return {
        "spans": spans, "found": found, "hit": hit,
        "recall": round(recall, 4), "recall_interval": [round(one, 4) for one in wilson(hit, spans)],
        "precision": round(precision, 4), "precision_interval": [round(one, 4) for one in wilson(hit, found)],
        "f1": round(2 * hit / (spans + found), 4) if spans + found else 0.0,
        "strict_recall": round(counts["strict"] / spans, 4) if spans else 0.0,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
