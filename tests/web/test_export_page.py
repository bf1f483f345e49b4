import hashlib

import pytest
from nicegui.testing import User

from brewslm.errors import StageError
from brewslm.observe.exports import bundle, bundle_file, exports
from brewslm.observe.tasks import tasks
from brewslm.store.files import project_folder
from tests.bundles import exported  # noqa: F401 - a fixture
from tests.web.test_data_page import links, native, press

pytestmark = pytest.mark.anyio
PROBLEM = {
    "title": "exp-1 can't be exported", "code": "export_artifact_missing", "detail": "the adapter is missing",
    "next_step": "Train it again.",
}  # fmt: skip


async def test_a_bundle_shows_its_variants_its_files_and_how_they_were_checked(user: User, project, exported):
    await user.open(f"/projects/{project}/export")
    for seen in ("Variants of export-1", "gguf-q8_0", "Smoke check", "agrees", "smoke-trace.json",
                 "hf, safetensors-merged", "20 rows"):  # fmt: skip
        await user.should_see(seen)
    known = links(user)
    assert known["Deploy"].startswith(f"/projects/{project}/deployments?export={exported}&variant=")
    assert known["Measure them"] == f"/projects/{project}/compression?export={exported}"
    found = bundle(exported)
    trace = next(one for one in found.files if one.path == "smoke-trace.json")
    anchors = [one.props["href"] for one in user.client.elements.values() if one.tag == "a" and "download" in one.props]
    assert f"/api/exports/{exported}/files/smoke-trace.json" in anchors and len(anchors) == len(found.files)
    whole = await user.http_client.get(f"http://127.0.0.1/api/exports/{exported}/files/{trace.path}")
    assert (hashlib.sha256(whole.content).hexdigest(), len(whole.content)) == (trace.sha256, trace.size_bytes)
    row = found.asked[0]
    assert known[row.row_id] == f"/rows/{row.row_id}" and row.answers["gguf-q8_0"] == row.trained


async def test_a_file_that_is_not_of_the_bundle_is_not_given_away(user: User, project, exported):
    for path in ("../../../brewslm.sqlite", "gguf-q8_0/none.gguf", ""):
        with pytest.raises(StageError) as refused:
            bundle_file(exported, path)
        assert refused.value.reason.code == "not_exported"
    (project_folder(project) / bundle(exported).path / "README.md").unlink()
    await user.open(f"/projects/{project}/export?export={exported}")
    await user.should_see("missing")
    assert (await user.http_client.get(f"http://127.0.0.1/api/exports/{exported}/files/README.md")).status_code == 409
    (project_folder(project) / bundle(exported).path / "manifest.json").unlink()
    assert bundle(exported).missing == "its files can't be read: FileNotFoundError"


async def test_an_export_is_begun_with_the_formats_that_are_ticked(user: User, project, exported):
    await user.open(f"/projects/{project}/export")
    press(user, "Export a model")
    await user.should_see("Not possible:")
    await user.should_see("6 formats")
    for tick in native(user, "input", type="checkbox", checked="checked")[1:]:
        tick.trigger("change", False)
    await user.should_see("1 format,")
    native(user, "input", type="checkbox", checked="checked")[0].trigger("change", False)
    press(user, "Export it now")
    await user.should_see("Choose a format first.")
    native(user, "input", type="checkbox", checked="checked")[0].trigger("change", True)
    press(user, "Export it now")
    await user.should_see("export.run")
    (run,) = [one for one in tasks(operation="export.run") if one.state == "queued"]
    assert run.request == {"experiment": "exp-1", "formats": ["hf"]}


async def test_one_that_failed_says_why_and_how_to_go_on(user: User, walk):
    walk.run("export", "export.run", "failed", request={"experiment": "exp-1"}, problem=PROBLEM)
    await user.open("/projects/1/export")
    for seen in ("failed", "exp-1 can't be exported", "the adapter is missing", "Next: Train it again.", "Export exp-1 again"):
        await user.should_see(seen)
    press(user, "Export a model")
    await user.should_see("A model is exported once it is trained, and none is yet.")


async def test_without_an_export_the_page_says_so_and_many_are_paged(user: User, walk):
    await user.open("/projects/1/export")
    await user.should_see("Nothing was exported yet")
    assert (await user.http_client.get("/projects/1/export?export=export-9")).status_code == 404
    for _ in range(22):
        walk.run("export", "export.run", "cancelled", request={"experiment": "exp-1"})
    assert [one.id for one in exports(1, before=3)] == ["export-2", "export-1"]
    await user.open("/projects/1/export")
    await user.should_see("export-22")
    assert links(user)["Older"] == "/projects/1/export?before=3"
    await user.open("/projects/1/export?before=3")
    await user.should_see("export-1")
    await user.should_not_see("export-3")
