import pytest
from nicegui import ui
from nicegui.testing import User

from brewslm.observe.modelstory import model_story
from brewslm.store.files import project_folder
from tests.bundles import exported  # noqa: F401 - a fixture
from tests.versions import measured, version
from tests.web.test_data_page import links, press

pytestmark = pytest.mark.anyio


async def test_everything_that_made_a_model_is_on_its_passport_and_each_thing_has_its_link(user: User, walk, card):
    walk.imported()
    walk.prepared()
    experiment = measured(walk, card, 18)
    first = version(walk, experiment, "superseded", 1)
    version(walk, experiment, "promoted", 2, predecessor=first)
    await user.open("/models/deployment-2")
    for seen in ("Model deployment-2", "deployed as default v2.", "path:x", "accuracy 90.2 % (86.9 % to 92.8 %)", "promotable",
                 "superseded", "prepare.run", "train.run", "export.run", "It was not verified on this page yet."):  # fmt: skip
        await user.should_see(seen)
    known = links(user)
    assert known["v1"] == "/projects/1/prepare?version=1" and known["exp-1"] == "/projects/1/runs/exp-1"
    assert known["default v1"] == "/models/deployment-1"
    with user:
        targets = {one.props["href"] for one in user.find(kind=ui.link).elements}
    assert {"/projects/1/export?export=export-2", "/models/export-2:hf", "/projects/1/runs/export-2"} <= targets
    for wrong, status in (("exp-9", 404), ("export-1:gguf-q2", 404), ("nonsense", 422)):
        assert (await user.http_client.get(f"/models/{wrong}")).status_code == status
    story = model_story("export-1:hf")
    assert (story.export, story.variant, story.deployment) == ("export-1", "hf", None)


async def test_every_hash_is_computed_when_asked_and_a_broken_link_is_named(user: User, project, exported):
    await user.open(f"/models/{exported}:gguf-q8_0")
    press(user, "Verify every hash")
    await user.should_see("links hold.")
    await user.should_see("holds")
    weights = project_folder(project) / "experiments/exp-1/adapter/adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    press(user, "Verify every hash")
    await user.should_see("adapter exp-1: its SHA-256 is another. What is behind it stands on nothing.")
    answer = await user.http_client.get(f"http://127.0.0.1/api/models/{exported}/passport")
    assert answer.json()["broken"]["link"] == "adapter"
