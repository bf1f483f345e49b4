import ast
from pathlib import Path

import pytest

import brewslm.web
from brewslm.observe.status import status
from brewslm.pipeline.lifecycle import STAGES
from brewslm.web.lifecycle_map import EVENT_STAGES, carried, way_to
from brewslm.web.projects import standing


def test_every_stage_of_the_map_leads_to_its_events():
    assert EVENT_STAGES.keys() == {stage.id for stage in STAGES}


def test_stages_1_to_4_lead_to_the_page_where_they_are_worked_on_and_all_others_to_their_events():
    leads = {stage.id: way_to(3, stage.id)[0] for stage in STAGES}
    assert [name for name, target in leads.items() if target == "/projects/3/data"] == [stage.id for stage in STAGES[:4]]
    assert leads["clean"] == "/projects/3/events?stage=cleaning"


def test_the_line_carries_rows_where_they_are_known(walk):
    assert carried(status(walk.project).stages) == {}
    walk.imported(count=60, broken=2)
    rows = carried(status(walk.project).stages)
    assert rows["ingest"] == "60" and rows["map_preview"] == rows["map_commit"]
    ids = walk.prepared()
    kept = len(ids["train"]) + len(ids["dev"])
    assert carried(status(walk.project).stages)["prepare"] == f"{kept} + {len(ids['eval'])}"


def test_a_project_stands_where_something_failed_runs_or_waits_and_else_where_it_has_come_to(walk):
    assert standing(status(walk.project)) is None
    walk.imported()
    assert standing(status(walk.project)).id == "map_commit"
    walk.prepared()
    walk.trained([])
    assert standing(status(walk.project)).id == "train"
    walk.run("clean", "clean.run", state="failed")
    assert standing(status(walk.project)).id == "clean"


@pytest.mark.parametrize("path", sorted(Path(brewslm.web.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_a_page_opens_no_table_and_no_file(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            assert called not in ("open", "read_text", "read_bytes", "write_text", "write_bytes")
    assert not [name for name in imported if name.startswith(("brewslm.store", "sqlalchemy", "brewslm.rows"))]
