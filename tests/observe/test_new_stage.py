"""A stage that is added by three steps (a stage constant, a reason, an emit) shows up in every view with no other change.

The steps are made in a copy of the package, for they are lines of its source, and what the views then show is asked there. A view
that this tree does not have says so; one that it has must show the stage.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import brewslm

CONSTANT = '    SYSTEM = "system"\n'
REASONS = '''

class StudentDistilled(Reason, stage=Stage.DISTILLING, severity=Severity.INFO):
    """A student was distilled from its teacher."""

    student: str


class DistillingFailed(
    Reason, stage=Stage.DISTILLING, severity=Severity.ERROR, remedy="Look at the teacher's answers, and distil again."
):
    """A student could not be distilled."""

    error: str
'''
EMIT = """
from brewslm.audit import emit_event
from brewslm.reasons.system import DistillingFailed, StudentDistilled

done, failed = StudentDistilled(student="small-7"), DistillingFailed(error="the teacher was silent")
emit_event(done, project_id=PROJECT, actor="cli:ana", run_id="distill-1", parent_run_id="autopilot-1")
emit_event(failed, project_id=PROJECT, actor="cli:ana", run_id="distill-2")
"""
LOOK = """
import json, sys, zipfile
from importlib.util import find_spec


def pages():
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import event, events
    codes = ["student_distilled", "distilling_failed"]
    by_stage = events(PROJECT, stage="distilling")
    assert [one.reason_code for one in by_stage] == codes, by_stage
    assert [one.meaning for one in by_stage][1] == "A student could not be distilled."
    for text in ("small-7", "student distilled", "distill*"):
        assert events(wanted=EventFilter(project=PROJECT, text=text)), text
    assert event(by_stage[1].id).remedy.startswith("Look at the teacher")


def timeline():
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.timeline import timeline
    failed, done = timeline(PROJECT, wanted=EventFilter(stage="distilling")).trees
    assert (failed.run, failed.severities) == ("distill-2", {"error": 1})
    assert (done.run, [part.run for part in done.parts]) == ("autopilot-1", ["distill-1"])


def explorer():
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.audit_export import MEDIA_TYPES, exported
    for format in MEDIA_TYPES:
        made = b"".join(exported(EventFilter(project=PROJECT, stage="distilling"), format))
        assert made and (b"small-7" in made or format == "parquet"), format


def api():
    from fastapi.testclient import TestClient
    from brewslm.api.app import create_app
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        answer = client.get(f"/api/projects/{PROJECT}/events", params={"stage": "distilling"})
        assert len(answer.json()) == 2, answer.text


def reasons():
    from brewslm.observe.reasons import every_reason, page
    assert {one.code for one in every_reason() if one.stage == "distilling"} == {"student_distilled", "distilling_failed"}
    assert "distilling_failed" in page()


def clusters():
    from brewslm.observe.clusters import clusters
    (found,) = [one for one in clusters(PROJECT) if one.stage == "distilling"]
    assert (found.reason_code, found.count) == ("distilling_failed", 1)


def journal():
    from brewslm.observe.journal import diary, journal
    journal(PROJECT)
    assert {one.reason_code for one in diary(PROJECT).entries} >= {"student_distilled", "distilling_failed"}


def bundle():
    from brewslm.observe.support import support_bundle
    from brewslm.pipeline.execute import call
    from brewslm.pipeline.support import SupportBundleRequest
    made = support_bundle(call("cli:ana", SupportBundleRequest(project=PROJECT)).task_id)
    with zipfile.ZipFile(made.path) as file:
        (name,) = [name for name in file.namelist() if name.endswith("events.jsonl")]
        assert b"student_distilled" in file.read(name) and b"distilling_failed" in file.read(name)


VIEWS = {
    "pages": (pages, "brewslm.observe.events"), "timeline": (timeline, "brewslm.observe.timeline"),
    "explorer": (explorer, "brewslm.observe.audit_export"), "api": (api, "brewslm.api.events"),
    "reasons": (reasons, "brewslm.observe.reasons"), "clusters": (clusters, "brewslm.observe.clusters"),
    "journal": (journal, "brewslm.observe.journal"), "bundle": (bundle, "brewslm.observe.support"),
}
said = {}
for name, (look, module) in VIEWS.items():
    if find_spec(module) is None:
        said[name] = "this tree has no such view"
        continue
    try:
        look()
        said[name] = "shown"
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""
VIEWS = ("pages", "timeline", "explorer", "api", "reasons", "clusters", "journal", "bundle")


@pytest.fixture(scope="module")
def shown(tmp_path_factory, tiny_base) -> dict[str, str]:
    """What each view says of a stage that the product does not know, once it has been added."""
    folder = tmp_path_factory.mktemp("three-steps")
    package = folder / "brewslm"
    shutil.copytree(Path(brewslm.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    stages = package / "reasons" / "base.py"
    source = stages.read_text()
    assert source.count(CONSTANT) == 1
    stages.write_text(source.replace(CONSTANT, CONSTANT + '    DISTILLING = "distilling"\n'))
    with (package / "reasons" / "system.py").open("a") as file:
        file.write(REASONS)
    project = """
from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
PROJECT = call("cli:ana", CreateRequest(name="p")).project
"""
    environment = os.environ | {
        "PYTHONPATH": str(folder), "BREWSLM_HOME": str(folder / "home"), "BREWSLM_BASE_MODEL": f"path:{tiny_base}",
    }  # fmt: skip
    environment.pop("BREWSLM_DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", project + EMIT + LOOK], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("view", VIEWS)
def test_a_new_stage_shows_up_with_no_other_change(shown, view):
    here = (Path(brewslm.__file__).parent / "observe").glob("*.py")
    absent = {"clusters": "clusters", "journal": "journal", "bundle": "support"}.get(view)
    if absent is not None and absent not in {path.stem for path in here}:
        assert shown[view] == "this tree has no such view"
    else:
        assert shown[view] == "shown"
