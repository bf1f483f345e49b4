"""/ui/projects/{id}/support: what a helper needs to see: what would be in it, making it, and handing it over."""

from dataclasses import dataclass
from functools import partial

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.support import SupportBundleView, SupportContents, support_bundles, support_contents
from brewslm.pipeline.support import NEVER
from brewslm.reasons.refusals import UnknownRun
from brewslm.web.filters import FilterField, filter_form
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box
from brewslm.web.pieces import Column, table
from brewslm.web.query import Heard, address, fields_of, heard
from brewslm.web.support_made import Made
from brewslm.web.support_maker import Maker
from brewslm.web.words import file_size

REDACTED = (
    (
        "Secrets that are known here",
        "{secrets:,} now: projects' keys, variables such as HF_TOKEN, passwords in URLs, other tools' tokens; in any spelling",
    ),
    ("What looks like a secret", "bearer tokens, keys of known makers, JWTs, private keys, random values after password ="),
    ("Values under a secret's name", "such as api_key; tokenizer_name and max_tokens stay"),
    ("Where you are", "home folders, other users' homes, this machine's name"),
    ("Addresses of mail, and queries of URLs", "wherever they stand"),
    ("Messages of exceptions that may quote a row", "types and frames stay"),
)  # fmt: skip


class Asked(BaseModel):
    """Of which run; of the whole project, when left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str | None = None


@dataclass(frozen=True)
class Seen:
    """What the page shows; `asked` without a run that the project has not."""

    asked: Heard[Asked]
    contents: SupportContents
    made: list[SupportBundleView]


def see(project: int, asked: Heard[Asked]) -> Seen:
    """Read it."""
    try:
        contents = support_contents(project, asked.value.run)
    except StageError as error:
        if not isinstance(error.reason, UnknownRun):
            raise
        asked = asked.without("run", f"This project has no run {asked.written('run')}; Runs and the timeline name each.")
        contents = support_contents(project)
    return Seen(asked, contents, support_bundles(project))


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id, heard(Asked, request.query_params))
    wanted = seen.asked.value
    with observability(here, "Support bundle"):
        with box("section", "card", aria_labelledby="new"):
            of = f"of {wanted.run} and what ran under it" if wanted.run else "of the whole project"
            Text("h2", f"A bundle {of}", id="new")
            with box("div", "columns bundle"):
                with box("div"):
                    _contents(seen.contents)
                with box("div"):
                    _redacted(seen.contents)
            maker = Maker(seen.contents)
        filter_form(
            [FilterField("run", "Only this run, and what ran under it", hint="exp-1")],
            fields_of(wanted),
            partial(address, f"/projects/{found.id}/support"),
            seen.asked,
        )
        made = Made(found.id, seen.made)
    maker.on_made = made.look


def _contents(found: SupportContents) -> None:
    Text("h3", "What would be in it")
    rows = [
        ("Runs", f"{found.runs:,}", f"{found.failed_runs:,} failed; each with its request, problem and frozen job"),
        ("Events", f"{found.events:,}", "with meaning and remedy; the head of their chain"),
        ("Logs", f"{found.logs:,}", f"{file_size(found.log_bytes)}, the end of each; those of failing runs first"),
        ("Data manifests", f"{found.manifests:,}", "which name labels and fields"),
        ("Experiments", f"{found.experiments:,}", "with evaluations and exports: ids and hashes"),
        ("Deployment versions", f"{found.versions:,}", "and slots"),
        ("Environment", "1", "Python, packages, machine, devices, settings by name"),
    ]
    table(
        "What would be in it",
        (
            Column[tuple[str, str, str]]("What", lambda one: one[0]),
            Column[tuple[str, str, str]]("How many", lambda one: one[1], "figure"),
            Column[tuple[str, str, str]]("With", lambda one: one[2], "words"),
        ),
        rows,
    )


def _redacted(found: SupportContents) -> None:
    Text("h3", "What is taken out of it")
    with box("dl", "values"):
        for what, which in REDACTED:
            Text("dt", what)
            Text("dd", which.format(secrets=found.secrets))
    Text("h3", "Never in it")
    with box("ul", "causes"):
        for one in NEVER:
            Text("li", one)
