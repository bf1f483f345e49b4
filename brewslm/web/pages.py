"""Which page stands at which address."""

from fastapi import FastAPI
from nicegui import app as pages_app
from nicegui import ui

from brewslm.web import (
    academy,
    cleaning,
    compression,
    data,
    deployments,
    evaluation,
    event,
    events,
    explorer,
    export,
    failure,
    failures,
    gold,
    journal,
    lesson,
    model,
    overview,
    playground,
    prepare,
    projects,
    row,
    rows,
    run,
    runs,
    settings_page,
    support,
    training,
)
from brewslm.web.layout import PREFIX
from brewslm.web.opening import Page, refusable
from brewslm.web.styles import asset

PAGES: dict[str, Page] = {
    "/": projects.page,
    "/projects/{project}": overview.page,
    "/projects/{project}/compression": compression.page,
    "/projects/{project}/data": data.page,
    "/projects/{project}/deployments": deployments.page,
    "/projects/{project}/rows": rows.page,
    "/projects/{project}/cleaning": cleaning.page,
    "/projects/{project}/gold": gold.page,
    "/projects/{project}/prepare": prepare.page,
    "/projects/{project}/events": events.page,
    "/projects/{project}/evaluation": evaluation.page,
    "/projects/{project}/training": training.page,
    "/projects/{project}/runs": runs.page,
    "/projects/{project}/runs/{run_id}": run.page,
    "/projects/{project}/events/{event_id}": event.page,
    "/projects/{project}/failures": failures.page,
    "/projects/{project}/failures/{cluster_id}": failure.page,
    "/projects/{project}/explorer": explorer.page,
    "/projects/{project}/support": support.page,
    "/projects/{project}/journal": journal.page,
    "/projects/{project}/export": export.page,
    "/projects/{project}/playground": playground.page,
    "/models/{subject}": model.page,
    "/rows/{row_id}": row.page,
    "/academy": academy.page,
    "/academy/{lesson_name}": lesson.page,
    "/settings": settings_page.page,
}
RESPONSE_SECONDS = 20.0
"""How long a page may take to read what it shows: a cold machine in training is slow."""
RECONNECT_SECONDS = 10.0
"""How long a page is kept for a browser that does not answer: one beside a training may be that slow."""
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#5b3fd6"/>'
    '<path d="M5 3.5v9h3.2a2.6 2.6 0 0 0 1-5 2.4 2.4 0 0 0-1.4-4z" fill="#fff"/></svg>'
)


def mount(app: FastAPI) -> None:
    """Put the pages into an app. NiceGUI has one set of pages a process: a second app shows the same.

    Nothing is compressed: pages go over loopback, where that takes longer than to send them, and the browser keeps the files.
    """
    pages_app.user_middleware.clear()  # what a former app added; once the stack is built, none could be added
    pages_app.middleware_stack = None
    pages_app.get("/assets/{version}/{name}", include_in_schema=False)(asset)
    for path, page in PAGES.items():
        ui.page(path, response_timeout=RESPONSE_SECONDS)(refusable(page))
    ui.run_with(
        app, mount_path=PREFIX, title="BrewSLM", favicon=FAVICON, language="en-US", dark=False, tailwind=False,
        show_welcome_message=False, gzip_middleware_factory=None, reconnect_timeout=RECONNECT_SECONDS,
    )  # fmt: skip
