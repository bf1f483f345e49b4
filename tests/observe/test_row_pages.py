import json

import orjson
import pytest
from pydantic import ValidationError

from brewslm.errors import StageError
from brewslm.observe.row_facets import row_facets
from brewslm.observe.row_filter import RowFilter
from brewslm.observe.row_pages import row_page
from brewslm.pipeline.execute import call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.stages.prepare import PrepareRequest
from tests.api.conftest import client  # noqa: F401 - the API, without a server
from tests.cli.test_views import run


def every(project: int, limit: int = 7, **asked) -> list[str]:
    """All pages forward, and the same backward."""
    chosen = RowFilter(**asked)
    page = row_page(project, chosen, limit=limit)
    pages = [page]
    while page.next:
        page = row_page(project, chosen, after=page.next, limit=limit)
        pages.append(page)
    back = [pages[-1]]
    while back[0].previous:
        back.insert(0, row_page(project, chosen, before=back[0].previous, limit=limit))
    assert [(one.first, one.rows) for one in back] == [(one.first, one.rows) for one in pages]
    ids = [row.row_id for one in pages for row in one.rows]
    assert page.first == len(ids) - len(page.rows) + 1 and pages[0].total in (None, len(ids))
    return ids


def test_pages_go_through_all_imports_there_and_back(walk):
    first, second = walk.imported(60, broken=9), walk.imported(20, broken=3)
    counts = every(walk.project)
    assert len(counts) == len(set(counts)) == row_facets(walk.project).statuses["counts"] > 60
    assert every(walk.project, import_run=first) + every(walk.project, import_run=second) == counts
    assert len(every(walk.project, status="rejected")) == row_facets(walk.project).statuses["rejected"] >= 12
    assert every(walk.project, status="undone") == []
    call("test", UndoRequest(import_run=first))
    assert every(walk.project) == every(walk.project, import_run=second)
    assert len(every(walk.project, status="undone", limit=7)) == 60
    assert len(every(walk.project, status="rejected", import_run=first)) == 9  # by its name, an undone import still shows them


def test_reason_label_text_and_field_each_leave_what_they_say(walk):
    path = walk.folder / "some.jsonl"
    lines = [
        {"text": 'He said "No Way" – twice', "label": "negative"}, {"text": "no way", "label": "Positive"},
        {"text": "", "label": "negative"}, {"text": "ÉCLAIR", "label": "positive"}, {"text": "a\\b", "label": "positive"},
    ]  # fmt: skip
    path.write_bytes(b"\n".join([*map(orjson.dumps, lines), b"{broken"]) + b"\n")
    asked = ImportRequest(
        project=walk.project, locator=f"jsonl:{path}", mapper="label_to_classification", commit=True,
        field_map={"text": "text", "label": "label"},
    )  # fmt: skip
    import_rows("test", asked)

    def positions(**asked) -> list[int]:
        return [row.position for row in row_page(walk.project, RowFilter(**asked)).rows]

    assert positions(text="NO WAY") == [1, 2]
    assert positions(text='said "no') == [1] and positions(text="éclair") == [4] and positions(text="A\\B") == [5]
    assert positions(text="positive") == [2, 4, 5] and positions(text="positive", field="text") == []
    assert positions(label="positive") == [4, 5] and positions(label="Positive") == [2]
    assert positions(status="rejected") == [3, 6]
    assert positions(status="rejected", reason="empty_text") == [3]
    assert positions(status="rejected", label="negative") == [3] and positions(status="rejected", text="{BROKEN") == [6]
    facets = row_facets(walk.project)
    assert facets.reasons == {"empty_text": 1, "invalid_json": 1}
    assert facets.labels == {"positive": 2, "Positive": 1, "negative": 1}


def test_the_splits_of_a_manifest_are_browsed_and_what_it_left_out_says_what_it_was(walk):
    walk.imported(60)
    ids = walk.prepared()
    for split in ("train", "dev", "eval"):
        assert every(walk.project, manifest=1, split=split) == ids[split]
    assert sorted(every(walk.project, manifest=1)) == sorted(ids["train"] + ids["dev"] + ids["eval"])
    call("test", PrepareRequest(project=walk.project, eval_rows=10, dev_rows=4, train_rows=20))
    facets = row_facets(walk.project).manifests[0]
    left_out = row_page(walk.project, RowFilter(manifest=2, split="rejected"))
    assert left_out.total == sum(facets.rejected.values()) == len(left_out.rows) == 26
    assert all(row.reason and row.values["text"] and row.import_run for row in left_out.rows)


def test_what_can_not_be_meant_is_refused(walk):
    walk.imported()
    for wrong in ({"split": "train"}, {"reason": "empty_text"}, {"manifest": 1, "split": "rejected", "text": "x"}):
        with pytest.raises(ValidationError):
            RowFilter(**wrong)
    for asked, more in (
        (RowFilter(), {"after": "x"}), (RowFilter(), {"after": "import-9.0.0"}), (RowFilter(), {"after": "import-1.3.0"}),
        (RowFilter(import_run="import-9"), {}), (RowFilter(manifest=3), {}),
    ):  # fmt: skip
        with pytest.raises(StageError):
            row_page(walk.project, asked, **more)


def test_the_api_pages_through_the_same_rows(walk, client):
    walk.imported(60, broken=3)
    address = f"/api/projects/{walk.project}/rows"
    first = client.get(address, params={"limit": 50}).json()
    rest = client.get(address, params={"limit": 50, "after": first["next"]}).json()
    assert [row["row_id"] for page in (first, rest) for row in page["rows"]] == every(walk.project)
    rejected = client.get(address, params={"status": "rejected", "reason": "invalid_json"}).json()
    facets = client.get(f"{address}/facets", params={"import": "import-1"}).json()
    assert rejected["total"] == facets["reasons"]["invalid_json"] == 3
    refused = client.get(address, params={"split": "eval"})
    assert refused.status_code == 422 and "a split is one of a manifest" in refused.json()["detail"]


def test_the_command_pages_through_the_same_rows(walk):
    walk.imported(60, broken=3)
    shown = run("row", "list", "--project", str(walk.project), "--limit", "50")
    assert f"rows 1 to 50 of {len(every(walk.project))}" in shown
    cursor = shown.split("--after ")[1].strip()
    rest = json.loads(run("row", "list", "--project", str(walk.project), "--limit", "50", "--after", cursor, "--json"))
    assert [row["row_id"] for row in rest["rows"]] == every(walk.project)[50:]
    assert "counts" in run("row", "facets", "--project", str(walk.project))
    run("row", "list", "--project", str(walk.project), "--split", "eval", code=2)
