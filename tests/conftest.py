import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes on two cores: more threads would only wait for each other
os.environ.setdefault("BREWSLM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from brewslm.audit.committer import COMMITTER
from brewslm.settings import settings
from brewslm.store.database import forget_connections
from brewslm.store.locks import lock
from tests.running import PATIENCE_SECONDS
from tests.warm import template, warm_children  # noqa: F401 - fixtures

Once = Callable[[str, Callable[[Path], object]], Path]

# No deadline and no word about slow examples: they tell of the machine alone. The examples are the same for everybody, so that no
# change is refused for one that has nothing to do with it; `make test-all` looks for new ones.
examples.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("ci")


@pytest.fixture(autouse=True, scope="session")
def home_of_fixtures(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What fixtures of a module or of the session make stands in a home of theirs, and not in that of who runs the tests."""
    os.environ["BREWSLM_HOME"] = str(tmp_path_factory.mktemp("home"))
    settings.cache_clear()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a home of its own, and projects for the tiny model; fetched packages are shared by hash."""
    folder = tmp_path / "home"
    monkeypatch.setenv("BREWSLM_HOME", str(folder))
    monkeypatch.setenv("BREWSLM_BASE_MODEL", f"path:{tiny_base}")
    monkeypatch.delenv("BREWSLM_DATABASE_URL", raising=False)
    forget_connections()
    yield folder
    for thread in threading.enumerate():
        if (
            thread.name == "AnyIO worker thread"
        ):  # its loop was closed and did not wait for it: it must not meet the next test's home
            thread.join(PATIENCE_SECONDS)
    COMMITTER.settle()  # its thread goes on after its last caller was answered: it must not meet the next test's home
    forget_connections()


@pytest.fixture
def project() -> int:
    """A project to work in."""
    from brewslm.pipeline.execute import call
    from brewslm.stages.projects import CreateRequest

    created = call("test", CreateRequest(name="a project")).project
    assert created is not None
    return created


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's tokenizer with next to no weights: enough for whatever does not load a model."""
    from tests.tiny import make_tiny_base

    return make_tiny_base(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Have something made once for all processes that run tests, in a folder of its name that nobody writes to afterwards."""
    here = tmp_path_factory.getbasetemp()
    shared = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.made"
        with lock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one who failed at it
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def tiny_model(once: Once) -> Path:
    """A Llama-type model of two layers with a ChatML tokenizer, made on the spot: a folder for `path:`."""
    from tests.tiny import make_tiny_model

    return once("tiny-model", make_tiny_model)


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model: Path, once: Once) -> Path:
    """An adapter on the tiny model that tells praise from blame."""
    from tests.experiments import train_adapter

    return once("tiny-adapter", lambda folder: train_adapter(tiny_model, folder))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: Path, tiny_adapter: Path, once: Once) -> Path:
    """The export of that model, in every format."""
    from tests.experiments import export_here

    return once("tiny-exports", lambda folder: export_here(tiny_model, tiny_adapter, folder)) / "exports" / "export-1"
