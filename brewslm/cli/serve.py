"""brewslm serve, gateway, worker, autopilot."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_line, print_table, problems, run_operation
from brewslm.cli.train import BaseModel, Set, settings_of

if TYPE_CHECKING:
    from socket import socket

    from fastapi import FastAPI

    from brewslm.pipeline.runs import RunView

GRACE_SECONDS = 2
OBJECTS_BETWEEN_COLLECTIONS = 3_000
"""New ones that are still there; over everything it goes after a hundred times as many, some fifteen pages."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(serve)
    app.command()(gateway)
    app.command()(worker)
    app.command()(autopilot)


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the API and the pages on this machine, with a worker for what is queued."""
    import os

    from brewslm.api.app import create_app
    from brewslm.pipeline.worker import check_name

    with problems(json=False):
        _check_host(host)
        check_name("main")
        where = _bound(host, port)
    _listen(create_app(), where)
    os._exit(0)  # no run is waited for: its child dies with us, and the next start goes on with it


def gateway(host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve the deployed models' addresses alone, beside the server: a restart of that makes requests wait, not fail."""
    from brewslm.api.app import create_gateway

    with problems(json=False):
        _check_host(host)
        where = _bound(host, port)
    _listen(create_gateway(), where)


def _check_host(host: str) -> None:
    from brewslm.api.guard import LOOPBACK
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import HostNotLoopback

    if host not in LOOPBACK:
        raise StageError(HostNotLoopback(), "The server was not started", where=f"--host {host}")


def _bound(host: str, port: int) -> "socket":
    """A socket that listens there, which only uvicorn's own failure to get one would tell too late.

    Raises:
        StageError(PortTaken, InvalidRequest): It can't be had.
    """
    import errno
    import socket

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest, PortTaken

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        cause = "" if taken else str(getattr(error, "strerror", None) or error)
        reason = PortTaken() if taken else InvalidRequest()
        next_step = "" if taken else "Choose another --port."
        raise StageError(reason, "The server was not started", where=f"--port {port}", cause=cause, next_step=next_step) from None


def _listen(app: "FastAPI", where: "socket") -> None:
    import gc

    import uvicorn

    # Python's search for cycles held up every fourth page by a quarter of a second: what is loaded by now stays, and is left out.
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    host, port = where.getsockname()[:2]
    typer.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}", err=True)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS)
    uvicorn.Server(config).run(sockets=[where])


def worker(name: Annotated[str, typer.Option(help="Each worker of a home has a name of its own.")] = "second") -> None:
    """Perform what is queued, beside the server or without one, until Ctrl-C."""
    import os
    import signal
    import threading

    from brewslm.pipeline.worker import working

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with problems(json=False), working(name):
        typer.echo(f"worker {name} is at work; Ctrl-C ends it", err=True)
        stop.wait()
        os._exit(0)  # as in serve


def autopilot(
    project: ProjectOption,
    train_rows: Annotated[int | None, typer.Option(min=1, help="Rows to train on; left out, all that are left.")] = None,
    base_model: BaseModel = None,
    set_: Set = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Prepare, preflight, train, evaluate and export in one go."""
    from brewslm.pipeline.autopilot import AutopilotRequest

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_table([(operation, run) for operation, run in result["runs"].items()])
        print_table([(name, f"{result['metric']} {100 * value:.1f} %") for name, value in result["figures"].items()])
        print_line(
            "promotable" if result["promotable"] else f"not promotable: see  brewslm evaluate --experiment {result['experiment']}"
        )

    request = AutopilotRequest(project=project, train_rows=train_rows, base_model=base_model, settings=settings_of(set_))
    run_operation(request, json, show, detach=detach)
