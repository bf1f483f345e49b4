"""The way of rows through the product, as a person types it: map, prepare, train (preflight first), evaluate, export, predict."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from brewslm.cli.main import app

QUICK = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "checkpoints": 1, "precision": "fp32"}
"""Settings at which a model of two layers learns in seconds."""


@dataclass
class Journey:
    """What to do with some rows.

    Attributes:
        rows: The lines of the source.
        mapper: And `mapped`, its fields' columns and options.
        asked: Inputs of predict at the end.
        prepare, train, export: Further words of these commands.
    """

    rows: list[dict[str, Any]]
    mapper: str
    asked: list[str | dict[str, Any]]
    mapped: dict[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    export: tuple[str, ...] = ("--format", "safetensors-merged")


@dataclass
class Lived:
    """What came of it, each the result of its command."""

    mapped: dict[str, Any]
    prepared: dict[str, Any]
    trained: dict[str, Any]
    evaluated: dict[str, Any]
    exported: dict[str, Any]
    answers: list[dict[str, Any]]


def live(journey: Journey, project: int, folder: Path) -> Lived:
    """Every stage, with real children. The project's base model must be one that can be trained."""
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in journey.rows))
    mapping = [part for name, column in journey.mapped.items() for part in ("--map", f"{name}={column}")]
    here = ("--project", project)
    mapped = said("map", *here, "--locator", f"file:{source}", "--mapper", journey.mapper, *mapping, "--commit")
    prepared = said("prepare", *here, *journey.prepare)
    settings = [part for name, value in QUICK.items() for part in ("--set", f"{name}={value}")]
    trained = said("train", *here, *settings, *journey.train)
    experiment = ("--experiment", trained["task_id"])
    evaluated = said("evaluate", *experiment, gates=True)
    exported = said("export", *experiment, *journey.export)
    asked = folder / "asked.jsonl"
    asked.write_text("".join(json.dumps(one) + "\n" for one in journey.asked))
    answers = said("predict", *experiment, "--file", asked)
    return Lived(*(one["result"] for one in (mapped, prepared, trained, evaluated, exported)), answers)


def said(*words: Any, gates: bool = False) -> Any:
    """A command's JSON; it must end well, or with a gate that is not met where `gates` says that this may be."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code in ((0, 3) if gates else (0,)), f"{words[0]}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)
