"""How fast rows are mapped, hashed, deduplicated and committed on one core, and in how much memory.

Run: python -m bench.import_rows. Beside each other, in turn, each in a process of its own on one core:

- ours: the commit of a kept JSONL source (stage 4), from its verification to the closed run; ingest and the whole import too;
- Hugging Face `datasets`: load_dataset, map, to_json; with map by batches of 1,000 rows, and row by row: the faster one is held
  against us; beside it `same_work`, which checks texts and labels and leaves out what was said before, as an import does;
- the ceiling: a bare loop with orjson that parses, maps, writes, and notes line, offset and reason of what is broken.

`datasets` stops at a broken line, so the file that all three read has none; ours and the ceiling read one with broken lines too.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.report import write

ROWS, RUNS = 500_000, 5
MEMORY_ROWS = (1_000_000, 5_000_000)
PACKAGES = ("orjson", "numpy", "datasets", "pyarrow")
MB = 2**20


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="bench-import-") as name:
        folder = Path(name)
        clean, dirty = folder / "clean.jsonl", folder / "dirty.jsonl"
        make_rows(clean, ROWS)
        make_rows(dirty, ROWS, broken=True)
        systems = [(name, clean) for name in SYSTEMS] + [("ours", dirty), ("ceiling", dirty)]
        found: dict[str, list[dict[str, float]]] = {}
        for turn in range(RUNS):
            for system, path in systems:
                key = system if path is clean else f"{system}_with_broken_lines"
                found.setdefault(key, []).append(child(system, path))
                print(f"run {turn + 1} of {RUNS}  {key:26s}{found[key][-1]['rows_per_second']:>10,.0f} rows/s", file=sys.stderr)
        memory: dict[str, float] = {}
        for rows in MEMORY_ROWS:
            large = folder / "large.jsonl"
            make_rows(large, rows)
            measured = child("ours", large)
            memory[str(rows)] = measured["peak_mb"]
            print(f"{rows:,} rows: {measured['rows_per_second']:,.0f} rows/s, {measured['peak_mb']:.0f} MB", file=sys.stderr)
            large.unlink()
    report(found, memory)


def report(found: dict[str, list[dict[str, float]]], memory: dict[str, float]) -> None:
    """Medians with their spread, and the goal."""
    rates = {key: spread([run["rows_per_second"] for run in runs]) for key, runs in found.items()}
    best = max(("datasets", "datasets_row_by_row"), key=lambda key: rates[key]["median"])

    def times(peer: str) -> dict[str, float]:
        pairs = zip(found["ours"], found[peer], strict=True)
        return spread([ours["rows_per_second"] / theirs["rows_per_second"] for ours, theirs in pairs])

    small, large = (memory[str(rows)] for rows in MEMORY_ROWS)
    measured = {
        "rows": ROWS,
        "rows_per_second": rates["ours"],
        "rows_per_second_with_broken_lines": rates["ours_with_broken_lines"],
        "rows_per_second_of_ingest": spread([run["ingest_rows_per_second"] for run in found["ours"]]),
        "rows_per_second_of_the_whole_import": spread([run["import_rows_per_second"] for run in found["ours"]]),
        "times_datasets": times(best),
        "times_datasets_row_by_row": times("datasets_row_by_row"),
        "times_datasets_same_work": times("datasets_same_work"),
        "share_of_the_ceiling": rates["ours"]["median"] / rates["ceiling"]["median"],
        "peak_mb": memory,
        "peak_mb_growth": large - small,
    }
    peers = {key: {"rows_per_second": rate} for key, rate in rates.items() if not key.startswith("ours")}
    goal = {
        "rows_per_second.median": {"at_least": 250_000.0},
        "times_datasets.median": {"at_least": 5.0},
        f"peak_mb.{MEMORY_ROWS[-1]}": {"at_most": 200.0},
        "peak_mb_growth": {"at_most": 10.0},
    }
    write("import_rows", measured, {"best": best, **peers}, goal, PACKAGES)


def spread(figures: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": round(statistics.median(figures), 2), "min": round(min(figures), 2), "max": round(max(figures), 2)}


def make_rows(path: Path, count: int, *, broken: bool = False) -> None:
    """Rows as people have: texts with punctuation, a label, an id, a score, in a tenth a list; 1 of 50 says what one said."""
    nouns, ends = ("film", "story", "scene", "actor", "plot", "note: "), ("", "s", " (old)", ", too")
    words = [noun + end for noun in nouns for end in ends]
    with path.open("wb", buffering=MB) as file:
        for number in range(count):
            seed = number - 7 if number % 50 == 49 else number
            text = " ".join(random.Random(seed).choices(words, k=14))
            label = "good" if seed % 3 else "bad"
            row: dict[str, Any] = {"id": number, "text": f"{seed} {text}", "label": label, "score": seed / 7}
            if number % 10 == 0:
                row["tags"] = ["old", "new"]
            line = json.dumps(row).encode()
            if broken and number % 100 == 50:
                line = line[:-3]
            file.write(line + b"\n")


def child(system: str, path: Path) -> dict[str, float]:
    """One measurement in a new process on one core; what others have written is on the disk before it starts."""
    os.sync()
    with tempfile.TemporaryDirectory(prefix="bench-home-", dir=path.parent) as home:
        environment = os.environ | {"BREWSLM_HOME": home, "HF_HOME": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "bench.import_rows", system, str(path), home]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(path: Path, home: Path) -> dict[str, float]:
    """Ingest, then the commit."""
    from brewslm.pipeline.execute import call
    from brewslm.pipeline.importing import planned_import
    from brewslm.pipeline.mapping_choice import ImportRequest
    from brewslm.stages.ingest import IngestRequest
    from brewslm.stages.mapping import CommitRequest
    from brewslm.stages.projects import CreateRequest

    call("bench", CreateRequest(name="bench"))
    began = time.monotonic()
    call("bench", IngestRequest(project=1, locator=f"jsonl:{path}"))
    ingested = time.monotonic()
    named = {"mapper": "label_to_classification", "field_map": {"text": "text", "label": "label"}}
    planned = planned_import("bench", ImportRequest(project=1, locator=f"jsonl:{path}", **named))
    ready = time.monotonic()
    result = call("bench", CommitRequest(**planned.request.model_dump())).result or {}
    end = time.monotonic()
    rows = result["source_rows"]
    return {
        "rows_per_second": rows / (end - ready),
        "ingest_rows_per_second": rows / (ingested - began),
        "import_rows_per_second": rows / (end - began),
        "peak_mb": peak_mb(),
    }


def hugging_face(path: Path, home: Path, *, batched: bool) -> dict[str, float]:
    """load_dataset, map, to_json; one process, an empty cache."""
    import datasets

    datasets.disable_progress_bars()

    def many(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {"text": [text.strip() for text in rows["text"]], "label": [str(label) for label in rows["label"]]}

    def one(row: dict[str, Any]) -> dict[str, Any]:
        return {"text": row["text"].strip(), "label": str(row["label"])}

    began = time.monotonic()
    data = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(home))
    dropped = [name for name in data.column_names if name not in ("text", "label")]
    mapped = data.map(many if batched else one, batched=batched, remove_columns=dropped)
    mapped.to_json(str(home / "out.jsonl"))
    return {"rows_per_second": len(mapped) / (time.monotonic() - began), "peak_mb": peak_mb()}


def hugging_face_same_work(path: Path, home: Path) -> dict[str, float]:
    """`datasets` with what an import promises written into its batched map: checked texts and labels, no row twice."""
    from hashlib import sha256

    import datasets

    datasets.disable_progress_bars()
    seen: set[bytes] = set()

    def is_good(text: Any, label: Any) -> bool:
        if not isinstance(text, str) or not text.strip() or not isinstance(label, str) or not label.strip():
            return False
        key = sha256(f"{text}\0{label}".encode()).digest()[:16]
        is_new = key not in seen
        seen.add(key)
        return is_new

    def many(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        kept = [pair for pair in zip(rows["text"], rows["label"], strict=True) if is_good(*pair)]
        return {"text": [text for text, _ in kept], "label": [label for _, label in kept]}

    began = time.monotonic()
    data = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(home))
    mapped = data.map(many, batched=True, remove_columns=data.column_names, new_fingerprint="import")
    mapped.to_json(str(home / "out.jsonl"))
    return {"rows_per_second": len(data) / (time.monotonic() - began), "peak_mb": peak_mb()}


def ceiling(path: Path, home: Path) -> dict[str, float]:
    """What orjson alone could do: no identity, no duplicates, no index, no run."""
    import orjson

    began = time.monotonic()
    offset = number = 0
    with path.open("rb") as source, (home / "out.jsonl").open("wb") as out, (home / "bad.jsonl").open("wb") as bad:
        for number, line in enumerate(source, 1):
            try:
                row = orjson.loads(line)
                out.write(orjson.dumps({"text": row["text"], "label": row["label"]}, option=orjson.OPT_APPEND_NEWLINE))
            except (orjson.JSONDecodeError, KeyError) as error:
                told = {"line": number, "offset": offset, "reason": str(error)}
                bad.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
            offset += len(line)
    return {"rows_per_second": number / (time.monotonic() - began), "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory that this process had, as the kernel counts it for this program alone."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


SYSTEMS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "ours": ours,
    "datasets": lambda path, home: hugging_face(path, home, batched=True),
    "datasets_row_by_row": lambda path, home: hugging_face(path, home, batched=False),
    "datasets_same_work": hugging_face_same_work,
    "ceiling": ceiling,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        print(json.dumps(SYSTEMS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
