"""`hf:` base models, through the hub's own client, from a hub on loopback."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from safetensors.numpy import load_file, save_file

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model, check_locator
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.settings import settings
from tests.hub import TOKEN, Hub, hub  # noqa: F401 - a server


@pytest.fixture
def files(tiny_model):
    """The tiny model as a repository, with what must never be fetched beside it."""
    own = {path.name: path.read_bytes() for path in tiny_model.iterdir() if path.is_file()}
    return own | {
        "modeling_tiny.py": b"raise SystemExit('code ran')",
        "pytorch_model.bin": b"\x80\x04.",
        "consolidated.safetensors": b"a second copy",
        "onnx/model.onnx": b"another",
    }


def refused(locator: str) -> StageError:
    with pytest.raises(StageError) as caught:
        base_model(locator)
    assert not [path for path in settings().cache.rglob("*") if path.name == "config.json"], "nothing is taken for whole"
    assert TOKEN not in str(caught.value.problem())
    return caught.value


def test_a_model_is_fetched_once_pinned_to_its_commit_and_loads(hub: Hub, files, tiny_model) -> None:
    commit = hub.repository("team/tiny", files).refs["main"]
    check_locator("hf:team/tiny")
    assert not any("/resolve/" in path for path in hub.paths()), "to check is not to fetch"
    found = base_model("hf:team/tiny")
    assert (found.locator, found.revision, found.name) == (f"hf:team/tiny@{commit}", commit, "team/tiny")
    assert found.sha256 == base_model(f"path:{tiny_model}").sha256
    fetched = {path.rpartition("/")[2] for path in hub.paths() if "/resolve/" in path}
    assert "model.safetensors" in fetched
    assert not fetched & {"modeling_tiny.py", "pytorch_model.bin", "consolidated.safetensors", "model.onnx"}
    assert load_tokenizer(found.folder).chat_template
    assert load_model(found.folder, precision="fp32").config.num_hidden_layers == 2
    hub.broken = True
    assert base_model(found.locator) == found, "a commit that was fetched needs no hub"


def test_a_revision_may_be_named_and_a_branch_moves_on(hub: Hub, files) -> None:
    repository = hub.repository("team/tiny", files)
    first = repository.refs["main"]
    second = repository.commit(files | {"generation_config.json": b"{}"}, "v2")
    assert base_model("hf:team/tiny").revision == first
    assert base_model("hf:team/tiny@v2").revision == second
    error = refused_revision("hf:team/tiny@v3")
    assert error.reason.code == "base_model_not_found" and error.cause == "it has no revision v3"


def refused_revision(locator: str) -> StageError:
    with pytest.raises(StageError) as caught:
        base_model(locator)
    return caught.value


def test_shards_and_their_index_are_one_model(hub: Hub, files, tiny_model, tmp_path) -> None:
    tensors = load_file(tiny_model / "model.safetensors")
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
    del files["model.safetensors"]
    for file, inside in parts.items():
        save_file({name: tensors[name] for name in inside}, tmp_path / file, {"format": "pt"})
        files[file] = (tmp_path / file).read_bytes()
    weight_map = {name: file for file, inside in parts.items() for name in inside}
    files["model.safetensors.index.json"] = json.dumps({"metadata": {}, "weight_map": weight_map}).encode()
    hub.repository("team/shards", files)
    found = base_model("hf:team/shards")
    assert found.parameters == base_model(f"path:{tiny_model}").parameters
    assert load_model(found.folder, precision="fp32").config.hidden_size == 64
    less = {name: content for name, content in files.items() if name != "model-00002-of-00002.safetensors"}
    hub.repository("team/half", less)
    error = refused_revision("hf:team/half")
    assert error.reason.code == "base_model_incomplete" and "model-00002-of-00002.safetensors, which is not there" in error.cause


def test_what_can_not_be_had_is_said_with_its_cause(hub: Hub, files, monkeypatch) -> None:
    error = refused("hf:team/none")
    assert error.reason.code == "base_model_not_found" and "set HF_TOKEN" in error.next_step
    hub.repository("team/gated", files, gated=True)
    error = refused("hf:team/gated")
    assert error.reason.code == "base_model_forbidden" and "it is gated" in error.cause
    pickled = {name: content for name, content in files.items() if not name.endswith(".safetensors")}
    hub.repository("team/pickled", pickled)
    error = refused("hf:team/pickled")
    assert error.reason.code == "base_model_not_found" and "pickle" in error.cause
    assert refused("hf:not an id").reason.code == "base_model_not_found"
    hub.broken = True
    error = refused("hf:team/gated")
    assert error.reason.code == "base_model_unavailable" and "HTTP 500" in error.cause


def test_a_gated_model_is_had_with_a_token_from_the_environment(hub: Hub, files, monkeypatch) -> None:
    hub.repository("team/gated", files, gated=True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert base_model("hf:team/gated").name == "team/gated"


def test_offline_is_said(hub: Hub, files, monkeypatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    error = refused("hf:team/tiny")
    assert error.reason.code == "base_model_unavailable" and error.cause == "HF_HUB_OFFLINE is set"


def test_a_model_that_the_disk_can_not_hold_is_refused_before_it_is_fetched(hub: Hub, files, monkeypatch) -> None:
    hub.repository("team/tiny", files)
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    error = refused("hf:team/tiny")
    assert error.reason.code == "disk_full" and "0.0 GB are free" in error.cause
    assert not any("/resolve/" in path for path in hub.paths())


def test_a_process_that_has_loaded_nothing_of_the_hubs_client_gets_a_reason_and_no_crash():
    asked = "from brewslm.models.catalogue import check_locator; check_locator('hf:owner/name')"
    environment = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    ended = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert "base_model_unavailable" in ended.stderr and "127.0.0.1:9 can't be reached" in ended.stderr
