"""A model server for a while, where no supervisor keeps one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from brewslm.serving.endpoints import Endpoint
from brewslm.serving.model_server import POLL_SECONDS, ModelServerFailed, temporary_log
from brewslm.serving.targets import Servable, Server, target_of


@contextmanager
def serve_for_now(servable: Servable, *, on_trial: bool = False) -> Iterator[Endpoint]:
    """Served by its target for the block.

    Args:
        on_trial: Where the block fails, what the target runs on other machines for it is given back.

    Raises:
        ModelServerFailed: It could not be started, or was not ready in its target's time.
    """
    target = target_of(servable.target)
    server: Server | None = None
    try:
        server = target.start(servable, temporary_log())
        yield _ready(server, target.ready_seconds)
    except BaseException:
        if on_trial:
            target.release(servable)
        raise
    finally:
        if server is not None:
            server.stop()


def _ready(server: Server, seconds: float) -> Endpoint:
    until = time.monotonic() + seconds
    while (found := server.endpoint()) is None:
        if time.monotonic() > until:
            raise ModelServerFailed(f"it was not ready after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return found
