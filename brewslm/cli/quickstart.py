"""brewslm quickstart: the main job on a sample, from its rows to an answer of the deployed model."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Json, actor, print_json, print_line, print_table, problems, progress_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brewslm.pipeline.runs import RunView
    from brewslm.stages.contract import Request

Lines = Callable[[dict[str, Any]], tuple[str, str]]
LISTED_LABELS = 6
"""A confusion matrix of more is wider than a terminal."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(quickstart)


def quickstart(
    sample: Annotated[str, typer.Option(help="Which sample; see brewslm sources.")] = "movie-reviews",
    serve: Annotated[bool, typer.Option("--serve", help="Go on serving the API, the pages and the model.")] = False,
    port: Annotated[int, typer.Option(help="Of --serve.")] = 8000,
    json: Json = False,
) -> None:
    """Take a sample through all stages for real: train on this machine, measure, export, deploy and ask."""
    began = time.monotonic()
    with problems(json):
        journey = Journey()
        made = _travel(journey, sample)
        answers = _ask(made["deployment"], made["project"], made["ask"])
    made |= {"answers": answers, "seconds": round(time.monotonic() - began, 1)}
    if json:
        print_json(made)
    else:
        _show(made, serve, port)
    if serve:
        sys.stdout.flush()
        # In a process of its own that takes the place of this one: the training's libraries and memory are for the pages no use.
        os.execv(sys.executable, [sys.executable, "-m", "brewslm.cli.main", "serve", "--port", str(port)])


@dataclass
class Journey:
    """Runs one stage after another, and leaves a line on stderr for each."""

    quiet: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, number: int, name: str, request: "Request", lines: Lines) -> "RunView":
        """One operation, through the doorway."""
        from brewslm.pipeline import execute

        with self.timed(name), progress_line(self.quiet) as on_progress:
            view = execute.call(actor(), request, on_progress=on_progress)
        self.say(number, name, *lines(view.result or {}))
        return view

    @contextmanager
    def timed(self, name: str) -> "Iterator[None]":
        """Measure a stage."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def say(self, number: int, name: str, subject: str, figures: str) -> None:
        """The stage's line."""
        if not self.quiet:
            took = self.seconds.get(name, 0.0)
            shown = f"{took:.1f} s" if took < 60 else f"{int(took // 60)} min {int(took % 60)} s"
            print(f"  {number:02d} {name:<11} {subject:<28} {figures:<58} {shown:>12}", file=sys.stderr)


def _travel(journey: Journey, sample: str) -> dict[str, Any]:
    """Stages 1 to 11."""
    from brewslm.sources.catalogue import quick_of
    from brewslm.stages.deploy.changes import CreateRequest
    from brewslm.stages.deploy.promote import PromoteRequest
    from brewslm.stages.evaluate import EvaluateRequest
    from brewslm.stages.export import ExportRequest
    from brewslm.stages.preflight import PreflightRequest
    from brewslm.stages.prepare import PrepareRequest
    from brewslm.stages.train import TrainRequest

    quick = quick_of(sample)
    project = _project(sample)
    if not journey.quiet:
        print(f"brewslm quickstart  sample:{sample}  project {project}", file=sys.stderr)
    _import(journey, project, f"sample:{sample}")
    rows = {"train_rows": quick.train_rows, "dev_rows": quick.dev_rows, "eval_rows": quick.eval_rows}
    journey.run(6, "prepare", PrepareRequest(project=project, **rows), _prepared)
    journey.run(7, "preflight", PreflightRequest(project=project), _checked)
    experiment = journey.run(8, "train", TrainRequest(project=project), _trained).task_id
    evaluated = journey.run(9, "evaluate", EvaluateRequest(experiment=experiment), _measured)
    card = evaluated.result or {}
    export = journey.run(10, "export", ExportRequest(experiment=experiment), _exported).task_id
    created = journey.run(11, "deploy", CreateRequest(export=export), lambda made: ("v" + str(made["version"]), "pending"))
    deployment = (created.result or {})["deployment"]
    promoted = journey.run(11, "promote", PromoteRequest(deployment=deployment), _promoted).result or {}
    return {
        "project": project, "experiment": experiment, "evaluation": evaluated.task_id, "export": export,
        "deployment": deployment, "slot": promoted["slot"],
        "scorecard": card["scorecard"], "promotable": card["promotable"], "ask": quick.ask,
        "stages": {name: round(seconds, 1) for name, seconds in journey.seconds.items()},
    }  # fmt: skip


def _project(sample: str) -> int:
    """The sample's project, made on first use."""
    from brewslm.observe.projects import projects
    from brewslm.pipeline import execute
    from brewslm.stages.projects import CreateRequest

    known = {project.name: project.id for project in projects()}
    if sample in known:
        return known[sample]
    created = execute.call(actor(), CreateRequest(name=sample)).project
    assert created is not None
    return created


def _import(journey: Journey, project: int, locator: str) -> None:
    """Stages 1 to 4."""
    from brewslm.pipeline import execute
    from brewslm.pipeline.importing import keep, planned_import
    from brewslm.pipeline.mapping_choice import ImportRequest
    from brewslm.stages.mapping import CommitRequest

    with journey.timed("ingest"), progress_line(journey.quiet) as on_progress:
        source = keep(actor(), project, locator, None, on_progress)
    unparseable = sum(source.sentinel_counts.values())
    journey.say(1, "ingest", locator, f"{source.row_count:,} rows, {unparseable:,} unparseable")
    with journey.timed("introspect"):
        plan = planned_import(actor(), ImportRequest(project=project, locator=locator, auto=True))
    journey.say(2, "introspect", plan.request.mapper, f"confidence {plan.request.confidence or 0:.2f}")
    with journey.timed("map"), progress_line(journey.quiet) as on_progress:
        view = execute.call(actor(), CommitRequest(**plan.request.model_dump()), on_progress=on_progress)
    ledger = (view.result or {})["ledger"]
    rejected = ", ".join(f"{reason} {count:,}" for reason, count in ledger["rejected"].items())
    journey.say(4, "map", view.task_id, f"{ledger['rows_out']:,} accepted, rejected: {rejected or 'none'}")


def _prepared(result: dict[str, Any]) -> tuple[str, str]:
    rows = result["rows"]
    leaks = result["ledger"]["rejected"].get("leak", 0)
    return f"v{result['version']}", f"train {rows['train']:,} · dev {rows['dev']} · eval {rows['eval']} · leaks {leaks}"


def _checked(result: dict[str, Any]) -> tuple[str, str]:
    plan = result["plan"]
    if not result["passed"] or not plan:
        return "blocked", ", ".join(finding["code"] for finding in result["findings"])
    needed, usable = plan["memory_bytes"]["total"] / 2**30, plan["runtime"]["memory_bytes"] / 2**30
    return "fits", f"{needed:.1f} of {usable:.1f} GB, {plan['steps']} steps, {plan['runtime']['precision']}"


def _trained(result: dict[str, Any]) -> tuple[str, str]:
    memory = result["peak_memory_bytes"] / 2**30
    figures = f"loss {result['final_train_loss']:.3f}  {result['real_tokens_per_second']:.0f} tok/s  {memory:.1f} GB"
    return result["experiment_id"], f"{result['steps']} steps  {figures}"


def _measured(result: dict[str, Any]) -> tuple[str, str]:
    card = result["scorecard"]
    metric = card["primary_metric"]
    tuned, base = (card["systems"][name]["metrics"][metric] for name in ("tuned", "base"))
    verdict = "promotable" if result["promotable"] else "not promotable"
    return verdict, f"{metric} base {_percent(base)} → tuned {_percent(tuned)}"


def _exported(result: dict[str, Any]) -> tuple[str, str]:
    files = [one for one in result["artifacts"] if one["format"].startswith("gguf")]
    sizes = [
        f"{one['quantization']} {one['size_bytes'] / 1e6:.0f} MB ({one['agreement']:.1%})".replace("%", " %") for one in files
    ]
    return f"{len(result['artifacts'])} artifacts, each run", " · ".join(sizes)


def _promoted(result: dict[str, Any]) -> tuple[str, str]:
    return f"slot {result['slot']}", f"{result['same']} of {result['asked']} live tokens as exported"


def _percent(metric: dict[str, float]) -> str:
    """A figure with half of its interval's width."""
    return f"{100 * metric['value']:.1f} % ± {50 * (metric['high'] - metric['low']):.1f}"


def _ask(deployment: int, project: int, texts: list[str]) -> list[dict[str, Any]]:
    from brewslm.observe.predict import ask_deployment

    return [answer.model_dump(mode="json") for answer in ask_deployment(str(deployment), list(texts), project)]


def _show_errors(evaluation: str, confusion: dict[str, Any] | None) -> None:
    """The confusion matrix of a few labels, and what the wrong rows have in common."""
    from brewslm.cli.errors import cluster_lines
    from brewslm.observe.evaluations import error_analysis

    if confusion and len(confusion["labels"]) <= LISTED_LABELS:
        print_line("")
        rows = zip(confusion["labels"], confusion["counts"], strict=True)
        header = ("  expected, then predicted", *confusion["labels"])
        print_table([(f"  {label}", *(f"{count:,}" for count in counts)) for label, counts in rows], header)
    found = error_analysis(evaluation)
    print_line("")
    print_line(f"{found.wrong:,} of {found.n:,} rows are still wrong:")
    for line in cluster_lines(found):
        print_line(line)


def _show(made: dict[str, Any], serve: bool, port: int) -> None:
    """What happened, on stdout."""
    from brewslm.cli.predict import shown
    from brewslm.observe.predict import Answer

    card = made["scorecard"]
    metric = card["primary_metric"]
    print_line("")
    print_line(f"{metric} on {card['n']} held-out rows, with 95 % intervals")
    for name, system in card["systems"].items():
        asked = f"({system['prompt']} prompt)" if system["prompt"] else ""
        print_line(f"  {name:<14} {_percent(system['metrics'][metric]):<16} {asked}".rstrip())
    _show_errors(made["evaluation"], card["systems"]["tuned"]["details"].get("confusion"))
    for answer in made["answers"]:
        print_line("")
        for line in shown(Answer.model_validate(answer)):
            print_line(line)
    print_line("")
    print_line(f"all of it took {made['seconds'] / 60:.1f} minutes")
    text = made["ask"][0].replace('"', "'")
    print_line(f'ask it:       brewslm predict --deployment {made["slot"]} --project {made["project"]} "{text}"')
    print_line(f"its errors:   brewslm errors --evaluation {made['evaluation']}")
    print_line(f"check it:     brewslm audit verify --project {made['project']}")
    print_line(
        f"see it:       http://127.0.0.1:{port}/ui/projects/{made['project']}" + ("" if serve else "  after  brewslm serve")
    )
