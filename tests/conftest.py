import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes on two cores: more threads would only wait for each other
os.environ.setdefault("BREWSLM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from pathlib import Path

import pytest

from brewslm.store.database import forget_connections


@pytest.fixture(autouse=True)
def home(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a home of its own, and projects for the tiny model; fetched packages are shared by hash."""
    folder = tmp_path / "home"
    monkeypatch.setenv("BREWSLM_HOME", str(folder))
    monkeypatch.setenv("BREWSLM_BASE_MODEL", f"path:{tiny_base}")
    monkeypatch.delenv("BREWSLM_DATABASE_URL", raising=False)
    forget_connections()
    yield folder
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
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama-type model of two layers with a ChatML tokenizer, made on the spot: a folder for `path:`."""
    from tests.tiny import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter on the tiny model that tells praise from blame."""
    from tests.experiments import train_adapter

    return train_adapter(tiny_model, tmp_path_factory.mktemp("adapter") / "adapter")


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: Path, tiny_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of that model, in every format."""
    from tests.experiments import export_here

    return export_here(tiny_model, tiny_adapter, tmp_path_factory.mktemp("exports"))
