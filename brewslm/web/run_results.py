"""What a training run was told, and what it came to."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from brewslm.metrics.units import PLAIN
from brewslm.models.recipe import Recipe, recipe_named
from brewslm.observe.figures import counted
from brewslm.observe.trainings import CheckpointView, Measurement, TrainingDetail
from brewslm.presets import names
from brewslm.web.changes import changes, config_diff, setting
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, empty, interval, ledger_bar, stats, table
from brewslm.web.run_steps import Asked
from brewslm.web.words import Sign, memory_size, plain

BEST = Sign("done", "best")


def results(one: TrainingDetail) -> None:
    """Its figures, its evaluations, and what was made of it."""
    result = one.task.result
    with box("section", "card", aria_labelledby="result"):
        Text("h2", "What came of it", id="result")
        if result:
            _figures(result)
        else:
            Text("p", "What it came to was not kept with the run.", "empty")
        Text("h3", "Evaluations")
        _evaluations(one)
        if one.exports:
            with box("p"):
                Text("span", "Exported as ")
                for export in one.exports:
                    link(export, f"/projects/{one.task.project}/export?export={export}", "mono")
        with box("p", "muted"):
            if result:
                Text("span", f"Adapter {result['adapter_sha256'][:12]} on base {result['base_sha256'][:12]} · ")
            link("The model's passport", f"/models/{one.id}")


def _figures(result: Mapping[str, Any]) -> None:
    dev = result["best_dev_loss"]
    stats([
        ("Loss", f"{result['final_train_loss']:.3f}", "nats a token, its last tenth"),
        ("Dev loss", "–", "no dev rows") if dev is None else ("Dev loss", f"{dev:.3f}", f"at step {result['best_step']:,}"),
        ("Rows trained on", f"{result['trained_rows']:,}", counted(result["steps"], "step")),
        ("Speed", f"{result['real_tokens_per_second']:,.0f} tok/s", "without padding"),
        ("Peak memory", memory_size(result["peak_memory_bytes"]), "of its process"),
    ])  # fmt: skip
    if result.get("ledger"):
        ledger_bar(result["ledger"]["rows_in"], result["ledger"]["rows_out"], result["ledger"]["rejected"])
    for code in result.get("warnings", []):
        with box("p", "note"):
            Badge(Sign("needs", f"preflight said {code}"))


def _evaluations(one: TrainingDetail) -> None:
    address = f"/projects/{one.task.project}/evaluation"
    if not one.evaluations:
        empty("It was not measured yet.", f"Evaluate {one.id}", f"{address}?experiment={one.id}")
        return

    def name(each: Measurement) -> None:
        link(each.evaluation, f"{address}?evaluation={each.evaluation}", "mono")

    columns = (
        Column[Measurement]("Evaluation", name),
        Column[Measurement]("Of", lambda each: each.measured or one.id, "mono"),
        Column[Measurement]("Figure", _figure),
        Column[Measurement]("Eval pack", lambda each: each.eval_pack),
        Column[Measurement]("Verdict", _verdict),
    )
    table("Evaluations", columns, one.evaluations[::-1])


def _figure(each: Measurement) -> str | None:
    if each.metric is None or each.metric_id is None:
        return "–"
    Text("div", plain(each.metric_id), "muted")
    interval(each.metric.value, each.metric.low, each.metric.high, share=each.metric_id not in PLAIN)
    return None


def _verdict(each: Measurement) -> None:
    Badge(Sign("done", "promotable") if each.promotable else Sign("needs", "gates not met"))


def checkpoints_card(one: TrainingDetail) -> None:
    """Those that stand on the disk; each can be measured in the adapter's place."""
    with box("section", "card", aria_labelledby="checkpoints"):
        Text("h2", "Checkpoints", id="checkpoints")
        columns = (
            Column[CheckpointView]("Checkpoint", lambda each: f"step {each.step:,}", "mono"),
            Column[CheckpointView]("Dev loss", lambda each: "–" if each.dev_loss is None else f"{each.dev_loss:.4f}", "figure"),
            Column[CheckpointView]("", _best),
            Column[CheckpointView]("", partial(_measure, one)),
        )  # fmt: skip
        table("Checkpoints", columns, one.checkpoints)


def _best(each: CheckpointView) -> str | None:
    if not each.best:
        return ""
    Badge(BEST)
    return None


def _measure(one: TrainingDetail, each: CheckpointView) -> str | None:
    if one.task.state != "succeeded":
        return ""
    address = f"/projects/{one.task.project}/evaluation?experiment={one.id}&target=checkpoint-{each.step}"
    link("Evaluate", address, aria_label=f"Evaluate checkpoint {each.step}")
    return None


def recipe_card(asked: Asked, one: TrainingDetail, other: TrainingDetail | None) -> None:
    """Its settings, with what differs from the preset; and beside another run, what differs from that."""
    with box("section", "card", aria_labelledby="recipe"):
        with box("div", "card-head"):
            Text("h2", "Recipe", id="recipe")
            if other is not None:
                link("Close the comparison", asked.address(against=None))
        if one.recipe is None:
            Text("p", "Its settings are frozen when a worker begins it.", "empty")
            return
        if other is not None:
            Text("h3", f"{other.id} → {one.id}")
            config_diff(f"{other.id} and {one.id}", changes(other.told(), one.told()), (other.id, one.id))
        preset = recipe_named(one.recipe.id) if one.recipe.id in names("recipes") else None
        plan = f", changed as the plan {plain(one.plan)} says" if one.plan else ""
        Text("p", f"Preset {one.recipe.id}{plan}; settings that are not the preset's are marked.", "muted")
        _settings(one, preset)
        _other_run(asked)


def _settings(one: TrainingDetail, preset: Recipe | None) -> None:
    usual = preset.model_dump(mode="json") if preset else {}
    with box("dl", "settings"):
        for name, value in one.told().items():
            differs = name in usual and usual[name] != value
            with box("div", "setting is-other" if differs else "setting"):
                Text("dt", plain(name))
                with box("dd", "mono"):
                    if name == "manifest" and value is not None:
                        link(f"v{value}", f"/projects/{one.task.project}/prepare?version={value}")
                    else:
                        Text("span", setting(value))
                    if differs:
                        Text("span", f"preset {setting(usual[name])}", "muted")


def _other_run(asked: Asked) -> None:
    """A form of the browser's own: it asks for the address with the other run's id."""
    from brewslm.web.layout import PREFIX

    with box("form", "form", method="get", action=f"{PREFIX}/projects/{asked.project}/runs/{asked.run_id}#recipe"):
        with box("label", "field"):
            Text("span", "Hold it against another run", "field-name")
            box(
                "input",
                "control",
                name="against",
                value=asked.against or "",
                placeholder="exp-1",
                autocomplete="off",
                required="required",
            )
        Text("button", "Compare", "button", type="submit")
