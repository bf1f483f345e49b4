"""A support bundle over HTTP: a task, then a link that ends."""

import io
import zipfile


def test_a_bundle_is_a_task_and_then_a_link(client, project, perform):
    done = perform(client.post(f"/api/projects/{project}/support-bundles", json={}))
    assert done["state"] == "succeeded" and done["result"]["path"] == "support/support-1.zip"
    assert [one["link"] for one in client.get(f"/api/projects/{project}/support-bundles").json()] == [""]
    shown = client.get("/api/support-bundles/support-1").json()
    answer = client.get(shown["link"])
    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/zip", "no-store")
    assert "index.html" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    forged = client.get(shown["link"] + "x")
    assert (forged.status_code, forged.json()["code"]) == (403, "link_invalid")
    assert client.get("/api/support-bundles/support-2").status_code == 404
    assert client.post("/api/projects/99/support-bundles").json()["code"] == "unknown_project"
