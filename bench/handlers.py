"""Each task handler on rows that it can learn from: the tuned model beside its base and beside cheap ways to answer.

Run: python -m bench.handlers [NAME …]. Every command is one that a person would type; held-out rows are apart by template,
speaker or category where rows are drawn. What was measured before with the same settings is kept, so that a run that was cut off
goes on; --again measures anew. About two hours on two cores, none of them more than fifteen minutes. Needs Debian's espeak-ng.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.handlers_table import TABLE, Measured
from bench.report import RESULTS, write

PACKAGES = ("torch", "transformers", "peft", "trl", "scikit-learn", "sacrebleu", "rouge-score", "jiwer")
SEED = 42


def main() -> None:
    """Measure those that are named, or all that have no result with their present settings."""
    before = RESULTS / "handlers.json"
    measured: dict[str, Any] = json.loads(before.read_text())["measured"] if before.exists() else {}
    named = [word for word in sys.argv[1:] if not word.startswith("--")]
    for name in named or TABLE:
        one = TABLE[name]
        if measured.get(name, {}).get("settings_hash") == settings_hash(one) and "--again" not in sys.argv:
            continue
        measured[name] = lived(one)
        kept = {each: measured[each] for each in TABLE if each in measured}
        goal = {f"{each}.{figure}": limit for each in kept for figure, limit in GOAL.items()}
        peers = {each: {who: said for who, said in found["systems"].items() if who != "tuned"} for each, found in kept.items()}
        write("handlers", kept, peers, goal, PACKAGES)


GOAL: dict[str, dict[str, float]] = {"gap_over_every_other": {"above": 0.0}, "minutes": {"at_most": 15}}


def settings_hash(one: Measured) -> str:
    """What the figures depend on, but for the code."""
    said = {name: value for name, value in asdict(one).items() if name not in ("rows", "caveat", "data", "more")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def lived(one: Measured) -> dict[str, Any]:
    """From an empty home to a scorecard."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as work:
        home, folder = Path(work) / "home", Path(work) / "rows"
        folder.mkdir()
        project = said(home, "project", "create", one.handler, "--base-model", one.base_model)["project"]
        here = ("--project", project)
        said(home, "map", *here, *source(one, folder), "--commit")
        prepared = said(home, "prepare", *here, *one.prepare, "--seed", SEED)["result"]
        settings = [word for key, value in one.settings.items() for word in ("--set", f"{key}={value}")]
        trained = said(home, "train", *here, *settings)
        card = said(home, "evaluate", "--experiment", trained["task_id"])["result"]["scorecard"]
    return figures(one, prepared, trained["result"], card) | {"minutes": round((time.monotonic() - began) / 60, 1)}


def source(one: Measured, folder: Path) -> list[str]:
    """Words of `map`: a sample knows its own mapping."""
    if isinstance(one.rows, str):
        return ["--locator", f"sample:{one.rows}", "--auto", "--force"]
    columns = [word for name, column in one.mapped.items() for word in ("--map", f"{name}={column}")]
    return ["--locator", f"file:{one.rows(folder)}", "--mapper", one.mapper, *columns]


def figures(one: Measured, prepared: dict[str, Any], trained: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    """The primary metric and those beside it, of every system; and how far tuned is from all others, interval to interval."""
    from brewslm.handlers import HANDLERS

    metric = card["primary_metric"]
    handler = next(one for one in HANDLERS[card["task_profile"]] if one.scoring_mode == card["scoring_mode"])
    systems = {
        who: {name: system["metrics"][name] for name in (metric, *one.more) if name in system["metrics"]}
        for who, system in card["systems"].items()
    }
    tuned, others = systems["tuned"][metric], [each[metric] for who, each in systems.items() if who != "tuned"]
    gaps = [other["low"] - tuned["high"] if handler.lower_is_better else tuned["low"] - other["high"] for other in others]
    return {
        "handler": one.handler, "data": one.data, "caveat": one.caveat, "base_model": one.base_model, "metric": metric,
        "lower_is_better": handler.lower_is_better,
        "n": card["n"], "rows": prepared["rows"], "seed": SEED, "settings_hash": settings_hash(one), "systems": systems,
        "gap_over_every_other": min(gaps), "train_seconds": trained["seconds"], "steps": trained["steps"],
    }  # fmt: skip


def said(home: Path, *words: Any) -> Any:
    """A command's JSON; a gate that is not met is a result too."""
    command = [str(Path(sys.executable).parent / "brewslm"), *map(str, words), "--json"]
    done = subprocess.run(command, env=os.environ | {"BREWSLM_HOME": str(home)}, stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command[1:])}: {done.stdout.decode()[:3000]}")
    return json.loads(done.stdout)


def table(measured: dict[str, Any]) -> list[str]:
    """The lines of the README's table: the primary metric of each handler, tuned beside all others."""
    lines = ["| Handler | Held-out rows | Metric | Base | Best cheap rule | Tuned |", "|---|---|---|---|---|---|"]
    for found in measured.values():
        metric, systems = found["metric"], found["systems"]
        rules = {who: each[metric] for who, each in systems.items() if who not in ("tuned", "base")}
        best = (min if found["lower_is_better"] else max)(rules, key=lambda who: rules[who]["value"], default="")
        data = f"{found['n']} of {found['data']}" + f" ({found['caveat']})" * bool(found["caveat"])
        cheap = f"{_shown(rules[best])} {best}" if best else "–"
        cells = (
            found["handler"],
            data,
            metric,
            _shown(systems["base"][metric]),
            cheap,
            f"**{_shown(systems['tuned'][metric])}**",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _shown(metric: dict[str, float]) -> str:
    """Such as "0.84 (0.80–0.87)"."""
    return f"{metric['value']:.2f} ({metric['low']:.2f}–{metric['high']:.2f})"


if __name__ == "__main__":
    main()
