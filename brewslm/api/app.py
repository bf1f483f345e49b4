"""The API: hand-written routes of a few lines, over the one doorway and the views."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import anyio
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

import brewslm
from brewslm import web
from brewslm.api import (
    academy,
    data,
    deployments,
    drift,
    evalpacks,
    evaluations,
    events,
    explorer,
    exports,
    failures,
    gold,
    imports,
    journal,
    manifests,
    predict,
    problems,
    project_files,
    projects,
    rows,
    search,
    settings,
    support,
    tasks,
    toolchains,
    training,
    trainings,
    uploads,
)
from brewslm.api.guard import LoopbackOnly
from brewslm.api.request_ids import RequestIds
from brewslm.api.work import PROBLEMS
from brewslm.observe.projects import projects as projects_known
from brewslm.pipeline import worker
from brewslm.serving import gateway
from brewslm.serving.supervisor import Supervisor
from brewslm.store.database import engine

SERVING = (predict.router, gateway.router)
"""What the gateway answers."""
ROUTERS = (
    projects.router,
    project_files.router,
    uploads.router,
    data.router,
    rows.router,
    imports.router,
    manifests.router,
    gold.router,
    training.router,
    trainings.router,
    evalpacks.router,
    evaluations.router,
    deployments.router,
    exports.router,
    drift.router,
    toolchains.router,
    tasks.router,
    events.router,
    explorer.router,
    support.router,
    academy.router,
    failures.router,
    journal.router,
    search.router,
    settings.router,
    *SERVING,
)


def _started(worker_name: str | None) -> ExitStack:
    """What lives beside the routes. Begun in a thread: the database may be migrated, and wait for another process."""
    engine()
    with ExitStack() as stack:
        if worker_name is not None:
            stack.enter_context(worker.working(worker_name))
            stack.enter_context(supervising())
        return stack.pop_all()


@contextmanager
def supervising() -> Iterator[None]:
    """Keep the promoted models' servers running for as long as the block lasts."""
    supervisor = Supervisor()
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()


class Health(BaseModel):
    """That the server answers, and its database with it."""

    status: str
    version: str


def create_app(worker_name: str = "main", with_worker: bool = True) -> FastAPI:
    """The application.

    Args:
        worker_name: Of the worker that lives in this process.
        with_worker: Without one, runs stay queued until a worker takes them.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = await anyio.to_thread.run_sync(_started, worker_name if with_worker else None)
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(running.close)

    app = FastAPI(title="BrewSLM", version=brewslm.__version__, lifespan=lifespan, responses=PROBLEMS)
    app.add_middleware(LoopbackOnly)
    app.add_middleware(RequestIds)
    problems.register(app)
    for router in ROUTERS:
        app.include_router(router)
    app.get("/api/health", operation_id="health", tags=["health"])(health)
    mount_web = getattr(web, "mount", None)
    if mount_web is not None:
        mount_web(app)
        app.get("/", include_in_schema=False)(lambda: RedirectResponse("/ui"))
    return app


def create_gateway() -> FastAPI:
    """The gateway alone: it finds the model servers that a `brewslm serve` of the same home keeps."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(engine)
        yield

    app = FastAPI(title="BrewSLM gateway", version=brewslm.__version__, lifespan=lifespan, responses=PROBLEMS)
    app.add_middleware(LoopbackOnly)
    problems.register(app)
    for router in SERVING:
        app.include_router(router)
    app.get("/api/health", operation_id="health", tags=["health"])(health)
    return app


def health() -> Health:
    """Whether the server is up, and its database with it."""
    projects_known()
    return Health(status="ok", version=brewslm.__version__)
