"""The cards of a model's passport."""

from typing import Any

from brewslm.metrics.units import said
from brewslm.observe.modelpassport import Link, ModelPassport, Step
from brewslm.observe.modelstory import Made, Measured, ModelStory
from brewslm.web.changes import setting
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, table
from brewslm.web.versions_card import STATES
from brewslm.web.words import Sign, plain

HASH_SHOWN = 16
PROMOTABLE, REFUSED = Sign("done", "promotable"), Sign("needs", "gates not met")


def chain_table(found: ModelPassport) -> None:
    """Each link, in the order in which a model is made."""
    columns: tuple[Column[Link], ...] = (
        Column("Link", lambda one: one.link),
        Column("Of", lambda one: one.name, "mono"),
        Column("Outcome", _held),
        Column("SHA-256", lambda one: _hash(one.expected_sha256), "mono"),
    )
    table("Chain of hashes", columns, found.links, marked=lambda one: one is found.broken)


def _held(one: Link) -> None:
    Badge(Sign("done", "holds") if one.holds else Sign("failed", "broken"))
    if one.cause or one.note:
        Text("p", one.cause or one.note, "muted")
    if one.cause and one.found_sha256:
        Text("p", f"found {one.found_sha256[:HASH_SHOWN]}", "muted mono")


def made_of(story: ModelStory) -> None:
    """Base, data and recipe."""
    with box("section", "card", aria_labelledby="made-of"):
        Text("h2", "Made of", id="made-of")
        rows = ", ".join(f"{name} {count:,}" for name, count in story.rows.items())
        with box("dl", "values"):
            for name, value, target in (
                ("base model", story.base_model, ""),
                ("its SHA-256", story.base_sha256, ""),
                ("data manifest", f"v{story.manifest}", f"/projects/{story.project}/prepare?version={story.manifest}"),
                ("its SHA-256", story.manifest_sha256, ""),
                ("rows", rows, f"/projects/{story.project}/rows"),
                ("task profile", plain(story.task_profile), ""),
                ("training run", story.experiment, f"/projects/{story.project}/runs/{story.experiment}"),
                ("trained weights", story.adapter_sha256, ""),
                ("final train loss", "–" if story.final_train_loss is None else f"{story.final_train_loss:.4g}", ""),
            ):
                Text("dt", name)
                with box("dd"):
                    link(value, target) if target else Text("span", value, "mono")
        for title, values in (("Recipe, as it was asked for", story.recipe), ("Environment", story.environment)):
            if values:
                with box("details", "event-details"):
                    Text("summary", title)
                    _settings(values)


def _settings(values: dict[str, Any]) -> None:
    with box("dl"):
        for name, value in values.items():
            Text("dt", name)
            Text("dd", setting(value), "mono")


def measured(story: ModelStory) -> None:
    """Its evaluations."""
    with box("section", "card", aria_labelledby="measured"):
        Text("h2", "Measured", id="measured")
        if not story.measured:
            Text("p", "Nobody has measured it yet: evaluate holds it against its base on rows it never saw.", "empty")
            return
        evaluation = f"/projects/{story.project}/evaluation?evaluation="
        columns: tuple[Column[Measured], ...] = (
            Column("Evaluation", lambda one: link(one.evaluation, f"{evaluation}{one.evaluation}", "mono") and None),
            Column("Verdict", lambda one: Badge(PROMOTABLE if one.promotable else REFUSED) and None),
            Column("Measured", lambda one: one.of),
            Column("Figure (95 % interval)", _figure, "figure"),
            Column("Rows", lambda one: f"{one.n:,}" if one.n else "–", "figure"),
            Column("Pack", lambda one: one.eval_pack),
            Column("When", lambda one: moment(one.created_at) and None),
        )
        table("Evaluations", columns, story.measured)


def _figure(one: Measured) -> str:
    if one.metric is None:
        return "–"
    value, low, high = (said(one.metric_name, each) for each in (one.metric.value, one.metric.low, one.metric.high))
    return f"{plain(one.metric_name)} {value} ({low} to {high})"


def uses(story: ModelStory) -> None:
    """Its exports, and what serves them."""
    with box("section", "card", aria_labelledby="uses"):
        Text("h2", "Exports and deployments", id="uses")
        if not story.made:
            Text("p", "It was not exported yet.", "empty")
            return

        def variants(one: Made) -> None:
            with box("div", "links-line"):
                for name in one.variants:
                    link(name, f"/models/{one.export}:{name}", "mono")

        def versions(one: Made) -> None:
            with box("ul", "lines"):
                for number, name, variant, state in one.deployments:
                    with box("li", "event-head"):
                        link(name, f"/models/deployment-{number}")
                        Text("span", variant, "mono muted")
                        Badge(STATES[state])
            if not one.deployments:
                Text("span", "–")

        here = f"/projects/{story.project}/export?export="
        columns: tuple[Column[Made], ...] = (
            Column("Export", lambda one: link(one.export, f"{here}{one.export}", "mono") and None),
            Column("Variants", variants),
            Column("Deployed as", versions),
        )
        table("Exports", columns, story.made, marked=lambda one: one.export == story.export)


def steps(story: ModelStory) -> None:
    """Who ran what, with the hash of the job that does it again."""
    with box("section", "card", aria_labelledby="steps"):
        Text("h2", "Who ran what", id="steps")
        columns: tuple[Column[Step], ...] = (
            Column("Run", lambda one: link(one.run_id, f"/projects/{story.project}/runs/{one.run_id}", "mono") and None),
            Column("Operation", lambda one: one.operation),
            Column("Asked by", lambda one: one.actor),
            Column("Attempts", lambda one: f"{one.attempt:,}", "figure"),
            Column("Ended", lambda one: moment(one.ended_at) and None if one.ended_at else one.state),
            Column("Job's SHA-256", lambda one: _hash(one.job_sha256), "mono"),
            Column("", lambda one: _events(story.project, one)),
        )
        table("Runs that made it", columns, story.steps)


def _events(project: int, one: Step) -> None:
    link("Events", f"/projects/{project}/events?run={one.run_id}", aria_label=f"Events of {one.run_id}")


def _hash(value: str) -> str | None:
    if not value:
        return "–"
    Text("span", value[:HASH_SHOWN], title=value)
    return None
