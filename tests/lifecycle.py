"""The way of rows through the product, as a person types it: map, prepare, train (preflight first), evaluate, export, predict."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.handlers.eval_pack import load_eval_pack
from brewslm.handlers.gates import GateOutcome, promotable
from brewslm.rows import RowFile
from brewslm.rows.manifest import PreparedData
from brewslm.stages.evaluate.verdict import verdict
from brewslm.store.files import project_folder

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
    """What came of it, each the result of its command; `untuned` is what the gates of the evaluation say of the base alone."""

    mapped: dict[str, Any]
    prepared: dict[str, Any]
    trained: dict[str, Any]
    evaluated: dict[str, Any]
    untuned: list[GateOutcome]
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
    evaluated = said("evaluate", *experiment, "--eval-pack", prepared["result"]["task_profile"], gates=True)
    exported = said("export", *experiment, *journey.export)
    asked = folder / "asked.jsonl"
    asked.write_text("".join(json.dumps(one) + "\n" for one in journey.asked))
    answers = said("predict", *experiment, "--file", asked)
    results = [one["result"] for one in (mapped, prepared, trained, evaluated)]
    return Lived(*results, gates_of_the_base(project, results[3]), exported["result"], answers)


def missed(gates: Iterable[dict[str, Any]]) -> list[str]:
    """The required gates that are not met."""
    return [gate["gate_id"] for gate in gates if gate["required"] and not gate["met"]]


def proves_itself(lived: Lived) -> bool:
    """Whether the tuned model passed its task's pack, and its untrained base does not, by the same predictions."""
    card = lived.evaluated["scorecard"]
    assert missed(card["gates"]) == [], [gate for gate in card["gates"] if not gate["met"]]
    assert lived.evaluated["promotable"] and card["eval_pack"] == card["task_profile"]
    return not promotable(lived.untuned)


def gates_of_the_base(project: int, evaluated: dict[str, Any]) -> list[GateOutcome]:
    """The same pack, with the base in the place of the tuned model: from the predictions that the evaluation kept."""
    folder, card = project_folder(project), evaluated["scorecard"]
    data = PreparedData(folder / "prepared" / f"v{card['manifest_version']}" / "manifest.json", card["manifest_sha256"])
    handler, rows = handler_for(card["task_profile"], data.manifest.output_schema), data.eval()
    scores = {}
    for name in card["systems"]:
        lines = RowFile(folder / evaluated["path"] / f"predictions-{name}.jsonl").rows()
        scores[name] = handler.score(rows, [Prediction.model_validate(line) for line in lines])
    shown = card["systems"]["tuned"]["metrics"]
    again = {name: metric.model_dump() for name, metric in scores["tuned"].metrics.items()}
    assert again == {name: shown[name] for name in again}, "the predictions that were kept are not those that were scored"
    return verdict(load_eval_pack(card["eval_pack"]), handler, rows, scores | {"tuned": scores["base"]}).gates


def said(*words: Any, gates: bool = False) -> Any:
    """A command's JSON; it must end well, or with a gate that is not met where `gates` says that this may be."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code in ((0, 3) if gates else (0,)), f"{words[0]}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)
