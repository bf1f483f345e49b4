"""A database with a million events as teams write them, in one true chain, by a way that is faster than a million emits.

The reasons are those of the product, with their own fields; only who caused them, when, and their figures are drawn. Each event
carries the hash that `audit.chain` gives it, and goes in through the table's triggers like any other.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert

from brewslm.audit.chain import GENESIS, canonical, link
from brewslm.reasons import REGISTRY
from brewslm.store.database import transaction
from brewslm.store.tables import Project, Run, RunEvent

PROJECT = 1
SEED = 9
BEGUN = datetime(2025, 6, 1, 6, 0, tzinfo=UTC)
DAYS = 500
FAILING = 0.08
"""Of runs."""
FAULTS = 40
"""Different ones: as many signatures."""
ACTORS = ("cli:ana", "cli:bo", "cli:chen", "api", "page", "schedule")
BATCH = 10_000
_ERRORS = (
    "CUDA out of memory while the longest batch was run",
    "no space left on device",
    "the child was killed from outside",
    "connection to the judge was reset",
    "tensor shapes do not match",
    "the loss is not finite at a step",
    "a file is not there",
    "permission denied",
)


@dataclass
class Told:
    """An event to be: its reason's code and fields, its run, and what stands above it."""

    code: str
    run: str | None
    parent: str | None
    actor: str
    fields: dict[str, Any]


class Life:
    """What a team does, over and over: import, prepare, train, evaluate, deploy; at times by autopilot, at times in vain."""

    def __init__(self, seed: int = SEED) -> None:
        self._chance = random.Random(seed)
        self._numbers: dict[str, int] = {}
        self.runs: list[dict[str, Any]] = []
        """Rows of the table of runs that were not taken yet."""

    def events(self) -> Iterator[Told]:
        """For ever."""
        while True:
            yield from self._round()

    def _round(self) -> Iterator[Told]:
        chance, actor = self._chance, self._chance.choice(ACTORS)
        above = self._begin("autopilot", "autopilot.run", None, actor) if chance.random() < 0.3 else None
        for number in range(chance.randint(1, 3)):
            run = self._begin("import", "map.commit", above, actor)
            source = f"jsonl:data/{chance.choice(('support', 'reviews', 'forms'))}-{chance.randint(1, 400)}.jsonl"
            if self._fails(run):
                yield Told("dataset_import_failed", run, above, actor, {"source": source, "mapper": None} | self._error())
                continue
            rejected = chance.randint(0, 90)
            yield Told(
                "dataset_import_run",
                run,
                above,
                actor,
                {
                    "source": source,
                    "mapper": "label_to_classification",
                    "accepted_count": chance.randint(100, 90_000),
                    "rejected_count": rejected,
                    "rejection_counts": {"empty_text": rejected // 2, "duplicate_row": rejected - rejected // 2},
                    "written_path": "synthetic/synthetic.jsonl",
                    "config_id": chance.randint(1, 60),
                    "confidence": round(chance.random(), 3),
                },
            )
        run = self._begin("prepare", "prepare.run", above, actor)
        version = self._numbers["prepare"]
        if self._fails(run):
            yield Told("dataset_prep_failed", run, above, actor, self._error())
            return
        yield Told(
            "dataset_prepared",
            run,
            above,
            actor,
            {
                "manifest_version": version,
                "manifest_sha256": self._hash(),
                "task_profile": "classification",
                "rows": {"train": chance.randint(500, 50_000), "dev": 200, "eval": 400},
                "ledger": {"rows_in": 900, "rows_out": 880, "duplicate": 20},
            },
        )
        yield from self._train(above, actor, version)

    def _train(self, above: str | None, actor: str, version: int) -> Iterator[Told]:
        chance = self._chance
        exp = self._begin("exp", "train.run", above, actor)
        for attempt in range(2, 2 + (chance.random() < 0.15) + (chance.random() < 0.05)):
            yield Told(
                "training_resumed",
                exp,
                above,
                actor,
                {"experiment_id": exp, "attempt": attempt, "from_step": chance.randint(1, 900)},
            )
        if chance.random() < 0.2:
            figures = {
                "at_step": chance.randint(200, 900),
                "planned_steps": 1_000,
                "best_step": chance.randint(100, 200),
                "patience": 3,
            }
            yield Told("training_stopped_early", exp, above, actor, {"experiment_id": exp} | figures)
        if self._fails(exp):
            code = chance.choice(("training_oom", "training_runtime_error", "training_runtime_error", "training_timeout"))
            yield Told(code, exp, above, actor, {"experiment_id": exp, "last_step": chance.randint(1, 900)} | self._error())
            return
        yield Told(
            "training_completed",
            exp,
            above,
            actor,
            {
                "experiment_id": exp,
                "backend": "local",
                "final_train_loss": round(chance.random(), 4),
                "best_dev_loss": round(chance.random(), 4),
                "steps": chance.randint(100, 1_000),
                "trained_rows": chance.randint(500, 50_000),
                "real_tokens_per_second": round(400 + 300 * chance.random(), 1),
                "adapter_sha256": self._hash(),
                "base_sha256": "5b" * 32,
                "manifest_version": version,
                "ledger": {"rows_in": 800, "rows_out": 800},
                "warnings": [],
            },
        )
        for _ in range(chance.randint(1, 3)):
            run = self._begin("eval", "evaluate.run", above, actor, exp)
            if self._fails(run):
                yield Told("eval_runtime_error", run, exp, actor, {"experiment_id": exp} | self._error())
                continue
            tuned, base = chance.random(), chance.random()
            yield Told(
                "evaluation_completed",
                run,
                exp,
                actor,
                {
                    "experiment_id": exp,
                    "eval_pack": "general",
                    "metric": "accuracy",
                    "n": 400,
                    "tuned": round(tuned, 4),
                    "tuned_interval": (round(tuned - 0.03, 4), round(tuned + 0.03, 4)),
                    "base": round(base, 4),
                    "base_interval": (round(base - 0.03, 4), round(base + 0.03, 4)),
                    "gates_met": 3,
                    "gates": 3,
                    "promotable": tuned > base,
                },
            )
        if chance.random() < 0.5:
            run = self._begin("deploy", "deploy.promote", above, actor)
            number = self._numbers["deploy"]
            yield Told(
                "deployment_changed",
                run,
                above,
                actor,
                {
                    "action": "promoted",
                    "deployment_version_id": number,
                    "slot": "default",
                    "actor": actor,
                    "before": f"v{number - 1}",
                    "after": f"v{number}",
                },
            )
            for _ in range(chance.random() < 0.1):
                yield Told(
                    "model_server_restarted", None, None, "supervisor", {"deployment_version_id": number, "server_exit_code": -9}
                )

    def _begin(self, kind: str, operation: str, above: str | None, actor: str, experiment: str | None = None) -> str:
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        request = {"project": PROJECT} | ({"experiment": experiment} if experiment else {})
        self.runs.append(
            {
                "id": f"{kind}-{number}",
                "kind": kind,
                "number": number,
                "operation": operation,
                "project_id": PROJECT,
                "parent_run_id": above,
                "actor": actor,
                "state": "succeeded",
                "request": request,
                "attempt": 1,
                "cancel_requested": False,
            }
        )
        return f"{kind}-{number}"

    def _fails(self, run: str) -> bool:
        fails = self._chance.random() < FAILING
        if fails:
            self.runs[-1]["state"] = "failed"
        return fails

    def _error(self) -> dict[str, Any]:
        """With the signature that execute would give it, and what it would call the problem."""
        fault = min(int(self._chance.expovariate(0.2)), FAULTS - 1)
        said = f"{_ERRORS[fault % len(_ERRORS)]} {self._chance.randint(1, 999)}"
        return {"error": said, "problem": "crashed", "signature": hashlib.sha256(f"fault {fault}".encode()).hexdigest()[:12]}

    def _hash(self) -> str:
        return self._chance.randbytes(32).hex()


def build(events: int, seed: int = SEED) -> None:
    """Fill the database of this home: project 1, its runs and so many events.

    Args:
        events: How many; spread over 500 days.
    """
    life = Life(seed)
    told = life.events()
    chain = _Chain(timedelta(days=DAYS) / events)
    with transaction() as session:
        session.add(Project(id=PROJECT, name="a busy team", base_model="path:none"))
    left = events
    while left:
        begun = chain.at
        rows = [chain.row(each) for each in islice(told, min(BATCH, left))]
        runs, life.runs = life.runs, []
        for run in runs:
            run |= {"created_at": begun, "started_at": begun, "ended_at": chain.at}
        with transaction() as session:
            connection = session.connection()
            if runs:
                connection.execute(insert(Run), runs)
            connection.execute(insert(RunEvent), rows)
        left -= len(rows)


class _Chain:
    """The project's chain, link by link."""

    def __init__(self, step: timedelta) -> None:
        self._step, self._sequence, self._previous = step, 0, GENESIS
        self.at = BEGUN
        self._columns = [column.name for column in RunEvent.__table__.columns if column.name != "id"]
        self._chance = random.Random(1)

    def row(self, told: Told) -> dict[str, Any]:
        """The next row."""
        reason = REGISTRY[told.code]
        known = {name: value for name, value in told.fields.items() if name in reason.model_fields}
        self.at += self._step * 2 * self._chance.random()
        self._sequence += 1
        event = RunEvent(
            project_id=PROJECT,
            sequence=self._sequence,
            ts=self.at.isoformat(timespec="milliseconds"),
            stage=reason.stage.value,
            severity=reason.severity.value,
            reason_code=told.code,
            run_id=told.run,
            parent_run_id=told.parent,
            actor=told.actor,
            payload=canonical(reason.model_construct(**known).payload()),
            previous_hash=self._previous,
        )
        event.hash = self._previous = link(event)
        if "payload_hash" in self._columns:
            event.payload_hash = hashlib.sha256(event.payload.encode()).hexdigest()
        return {name: getattr(event, name) for name in self._columns}
