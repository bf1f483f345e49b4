"""The supervisor: promoted versions are desired state in tables; it keeps one model server running for each."""

import logging
import threading
import time
from contextlib import ExitStack

from sqlalchemy import select

from brewslm.audit import emit_event
from brewslm.errors import StageError, where_of
from brewslm.reasons.deployment import ModelServerRestarted
from brewslm.serving.endpoints import Endpoint, endpoint_file, endpoint_lock, supervisor_lock, tell_failure, wanted_versions
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable, Server, target_of
from brewslm.serving.traffic import in_use
from brewslm.settings import settings
from brewslm.store import tables
from brewslm.store.database import reading
from brewslm.store.files import write_json
from brewslm.store.locks import Held, lock

PERIOD_SECONDS = 0.5
DRAIN_SECONDS = 5.0
"""A server that nobody wants any more is kept this long: the gateway may just have chosen it, or a promote be about to."""
LONGEST_DRAIN_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 30.0
log = logging.getLogger(__name__)


class _Served:
    """One version's server, from its start to its drained end."""

    def __init__(self, wanted: Servable) -> None:
        self.wanted = wanted
        self.endpoint: Endpoint | None = None
        self.unwanted_since: float | None = None
        self.failures, self.not_before = 0, 0.0
        self._holding = ExitStack()
        tell_failure(wanted.version_id, None)
        endpoint_file(wanted.version_id).unlink(missing_ok=True)  # of a keeper that was killed: our lock would have it believed
        self._holding.enter_context(lock(endpoint_lock(wanted.version_id)))
        self._server: Server | None = None

    def keep(self) -> None:
        """Start it, publish it when it is ready, and start it again when it has died."""
        if time.monotonic() < self.not_before:
            return
        try:
            found = self._found()
        except Exception as error:  # noqa: BLE001 - whatever a target does, a plugin's too, the others go on
            self._again(error)
        else:
            if found != self.endpoint and found is not None:
                tell_failure(self.wanted.version_id, None)
                write_json(endpoint_file(self.wanted.version_id), found.model_dump())
                self.endpoint, self.failures = found, 0

    def drained(self) -> bool:
        """Whether it may end: nobody has wanted it for a while, and no request runs on it, so far as the gateways and it say."""
        if self.unwanted_since is None or self.endpoint is None:
            return self.unwanted_since is not None
        unwanted = time.monotonic() - self.unwanted_since
        if unwanted > LONGEST_DRAIN_SECONDS:
            return True
        if unwanted < DRAIN_SECONDS or in_use(self.wanted.version_id):
            return False
        return target_of(self.wanted.target).busy(self.endpoint) == 0

    def stop(self) -> None:
        """Take it from the list, then end it."""
        endpoint_file(self.wanted.version_id).unlink(missing_ok=True)
        tell_failure(self.wanted.version_id, None)
        self._holding.close()
        if self._server:
            self._server.stop()
        self._server = None

    def release(self) -> None:
        """Take down what its target runs on other machines."""
        target_of(self.wanted.target).release(self.wanted)

    def _found(self) -> Endpoint | None:
        """The endpoint while its process lives; whether it is quick to answer is no reason to end it."""
        if self._server is None:
            logs = settings().home / "serving" / "logs" / f"{self.wanted.version_id}.log"
            self._server = target_of(self.wanted.target).start(self.wanted, logs)
        if self.endpoint is not None and self._server.returncode is None:
            return self.endpoint
        return self._server.endpoint()

    def _again(self, error: Exception) -> None:
        log.warning("model server of version %d: %s", self.wanted.version_id, error)
        exit_code, was_ready = self._server.returncode if self._server else None, self.endpoint is not None
        if self._server is not None:
            self._server.stop()
        endpoint_file(self.wanted.version_id).unlink(missing_ok=True)
        self._server, self.endpoint = None, None
        if was_ready:
            reason = ModelServerRestarted(deployment_version_id=self.wanted.version_id, server_exit_code=exit_code)
            emit_event(reason, project_id=self.wanted.project_id, actor="supervisor")
        else:  # it can't even start: not at once again
            self.failures += 1
            self.not_before = time.monotonic() + min(LONGEST_PAUSE_SECONDS, 2.0**self.failures)
            tell_failure(self.wanted.version_id, _words(error))


def _words(error: Exception) -> str:
    """The cause for a person: never the message of what a plugin raises, which may quote anything."""
    if isinstance(error, StageError):
        return f"{error.what}: {error.cause}"
    return str(error) if isinstance(error, ModelServerFailed) else where_of(error)


class Supervisor:
    """Started by `brewslm serve`; one a home. A thread compares what shall be live with what is, twice a second."""

    def __init__(self) -> None:
        self._served: dict[int, _Served] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._holding = ExitStack()

    def start(self) -> None:
        """Begin; does nothing where another process of this home supervises already."""
        try:
            self._holding.enter_context(lock(supervisor_lock(), wait=False))
        except Held:
            log.warning("another process supervises the model servers of this home")
            return
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every model server, and the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        for served in self._served.values():
            served.stop()
        self._served.clear()
        self._holding.close()

    def reconcile(self) -> None:
        """One round: start what is wanted, restart what died, end what nobody wants."""
        wanted = {one.version_id: one for one in wanted_now()}
        for version_id, one in wanted.items():
            served = self._served.get(version_id) or self._served.setdefault(version_id, _Served(one))
            served.unwanted_since = None
            served.keep()
        for version_id, served in list(self._served.items()):
            if version_id in wanted:
                continue
            served.unwanted_since = served.unwanted_since or time.monotonic()
            if served.drained():
                served.stop()
                del self._served[version_id]
                served.release()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.reconcile()
            except Exception:
                # The boundary of this thread: a locked database or a full disk must not end what keeps models running.
                log.exception("a round of the supervisor failed")
            self._stopping.wait(PERIOD_SECONDS)


def wanted_now() -> list[Servable]:
    """Every promoted version, and those that a promote wants to try."""
    tried = wanted_versions()
    version, export = tables.DeploymentVersion, tables.Export
    query = (
        select(version, export)
        .join(export, export.run_id == version.export_id)
        .outerjoin(tables.Slot, tables.Slot.version_id == version.id)
        .where((tables.Slot.version_id == version.id) | version.id.in_(tried))
    )
    with reading() as session:
        return [Servable.of(one, made) for one, made in session.execute(query).tuples()]
