import ast
from pathlib import Path

import pytest

import brewslm.web
from brewslm.observe.status import status
from brewslm.pipeline.lifecycle import STAGES
from brewslm.web import lifecycle_map
from brewslm.web.lifecycle_map import EVENT_STAGES, carried, figure_way, way_to
from brewslm.web.projects import standing


def test_every_stage_of_the_map_leads_to_its_events():
    assert EVENT_STAGES.keys() == {stage.id for stage in STAGES}


def test_a_stage_leads_to_its_page_where_there_is_one_and_to_its_events_elsewhere(monkeypatch):
    monkeypatch.setattr(lifecycle_map, "registered", lambda: {"/projects/{project}/data", "/projects/{project}/runs"})
    leads = {stage.id: way_to(3, stage.id) for stage in STAGES}
    assert [name for name, lead in leads.items() if lead == ("/projects/3/data", "Open Data")] == [one.id for one in STAGES[:4]]
    assert leads["train"] == ("/projects/3/runs", "Open Runs")
    assert leads["clean"] == ("/projects/3/events?stage=cleaning", "See its events")


def test_figures_lead_to_the_rows_that_they_count_and_to_the_run_that_they_tell(walk, monkeypatch):
    walk.imported(count=60, broken=2)
    run = walk.run("clean", "clean.run", state="failed")
    stages = {one.id: one for one in status(walk.project).stages}
    monkeypatch.setattr(lifecycle_map, "registered", set)
    assert figure_way(3, stages["map_preview"]) == ""
    monkeypatch.setattr(lifecycle_map, "registered", lambda: {"/projects/{project}/rows"})
    assert figure_way(3, stages["map_preview"]) == "/projects/3/rows?status=rejected"
    assert figure_way(3, stages["map_commit"]) == "/projects/3/rows?status=counts"
    assert run in figure_way(3, stages["clean"]) and figure_way(3, stages["export"]) == ""


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


PAGES = [path for path in sorted(Path(brewslm.web.__file__).parent.glob("*.py")) if path.name != "styles.py"]
"""What reads the style sheets, once a process, is none."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_opens_no_table_and_no_file(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Call):
            assert getattr(node.func, "id", "") != "open"
            assert getattr(node.func, "attr", "") not in ("read_text", "read_bytes", "write_text", "write_bytes")
    assert not [name for name in imported if name.startswith(("brewslm.store", "sqlalchemy", "brewslm.rows"))]
