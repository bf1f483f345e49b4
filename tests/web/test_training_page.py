import anyio
import pytest
from nicegui import ui

from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.stages.preflight import PreflightRequest
from brewslm.store.database import transaction
from brewslm.store.tables import Run
from brewslm.web.training_check import FIELD_OF
from tests.running import ROOT
from tests.web.test_runs_page import links
from tests.web.trainings import press, trained

pytestmark = pytest.mark.anyio
FINDING = {
    "code": "memory_does_not_fit", "severity": "blocker", "measured": "30.0 GB needed", "limit": "20.0 GB to use",
    "next_step": "Lower --set pack_tokens=…", "fatal": False,
}  # fmt: skip
MEMORY = {"weights": 2**30, "trained": 2**27, "activations": 2**30, "logits": 2**28, "overhead": 2**28, "runtime": 2**29}


def checked(walk, findings, passed, **request) -> str:
    """A preflight that ended with this result."""
    asked = PreflightRequest(project=walk.project, manifest_version=1, **request).model_dump(mode="json")
    run_id = walk.run("preflight", "preflight.run", request=asked)
    plan = {
        "rows": 46, "steps": 3, "tokens": 900, "longest_tokens": 40, "seconds": 130.0,
        "seconds_basis": "exp-1 did 702 tok/s here",
        "memory_bytes": MEMORY | {"total": sum(MEMORY.values())}, "memory_basis": "measured",
        "runtime": {"memory_bytes": 20 * 2**30, "device": "cpu", "threads": 2, "precision": "bf16"},
    }  # fmt: skip
    change = {"field": "epochs", "from": 1.0, "to": 2.0, "reason": "twice the time"}
    offers = [
        {"name": name, "changes": changes, "rows": 46, "steps": 3, "memory_bytes": 3 * 2**30, "seconds": 130.0, "fits": True}
        for name, changes in (("safe", []), ("balanced", []), ("max_quality", [change]))
    ]
    with transaction() as session:
        session.get_one(Run, run_id).result = {
            "passed": passed,
            "findings": findings,
            "plan": plan,
            "plans": offers,
            "probe": None,
        }
    return run_id


@pytest.fixture
def ready(walk):
    walk.imported()
    walk.prepared()
    return walk


async def test_without_data_there_is_one_thing_to_do(user, walk):
    await user.open(f"/projects/{walk.project}/training")
    await user.should_see("No data is prepared yet")
    assert links(user)["Prepare the data"].endswith("/prepare")


async def test_what_differs_from_the_preset_is_marked_and_what_can_not_be_used_is_said_at_its_field(user, ready):
    await user.open(f"/projects/{ready.project}/training?epochs=3")
    await user.should_see("preset: 1")
    await user.should_see("Lora r")
    await user.open(f"/projects/{ready.project}/training?lora_r=none&epochs=3")
    await user.should_see("can't be used: It is a whole number.")
    press(user, "Train")  # not before it is mended
    await user.should_not_see("Train now?")


async def test_a_check_is_queued_and_what_it_finds_stands_at_its_field_beside_three_plans(user, ready):
    run = checked(ready, [FINDING], passed=False, settings={"epochs": "3"})
    await user.open(f"/projects/{ready.project}/training?epochs=3&check={run}")
    for said in (
        "blocked", "30.0 GB needed; the limit is 20.0 GB to use.", "Three plans", "Best quality", "epochs 1 → 2",
        "Time, about", "2 min 10 s", "exp-1 did 702 tok/s here", "Take the best quality plan",
    ):  # fmt: skip
        await user.should_see(said)
    with user:
        bars = [one for one in user.find(kind=ui.element).elements if "memory-bar" in one.classes]
    assert len(bars) == 1 and "needed, between" in bars[0].props["aria-label"] and "20.0 GB to use" in bars[0].props["aria-label"]
    await user.open(f"/projects/{ready.project}/training?epochs=4&check={run}")  # a check of other settings says nothing here
    await user.should_see("were not checked on this machine yet")


async def test_check_queues_a_preflight_of_the_settings(user, ready):
    await user.open(f"/projects/{ready.project}/training?epochs=3")
    press(user, "Check")
    await user.should_see("preflight-1")
    (queued,) = tasks(ready.project, operation="preflight.run")
    assert (queued.state, queued.request["settings"], queued.request["manifest_version"]) == ("queued", {"epochs": "3"}, 1)
    ended = await anyio.to_thread.run_sync(execute.perform, queued.task_id)
    await user.should_see("Three plans")
    for finding in ended.result["findings"]:
        await user.should_see(finding["code"])


async def test_train_says_what_it_takes_and_a_second_click_queues_it(user, ready):
    run = checked(ready, [], passed=True, settings={"epochs": "3"})
    await user.open(f"/projects/{ready.project}/training?epochs=3&check={run}")
    await user.should_see("Three plans")
    press(user, "Train")
    await user.should_see("46 rows, 3 steps, about 2 min 10 s of this machine's processor")
    assert tasks(ready.project, operation="train.run") == []
    user.find("Start the training").click()
    await user.should_see("train.run")  # the run that is followed
    (queued,) = tasks(ready.project, operation="train.run")
    assert (queued.state, queued.actor, queued.request["settings"]) == ("queued", "page", {"epochs": "3"})


async def test_autopilot_goes_by_the_form_and_says_so(user, ready):
    await user.open(f"/projects/{ready.project}/training?epochs=none")
    press(user, "Run autopilot")  # not before it is mended
    await user.should_not_see("Start autopilot")
    await user.open(f"/projects/{ready.project}/training?epochs=3&eval_pack=fast")
    press(user, "Run autopilot")
    await user.should_see("It goes by this form: eval pack fast, epochs 3.")
    press(user, "Start autopilot")
    await user.should_see("autopilot-1")
    (queued,) = tasks(ready.project, operation="autopilot.run")
    assert (queued.request["settings"], queued.request["eval_pack"]) == ({"epochs": "3"}, "fast")


async def test_a_former_run_fills_the_form_in(user, ready):
    run = trained(ready, [["a"]], epochs=5.0, lora_top_layers=0.67)
    await user.open(f"/projects/{ready.project}/training?from={run}")
    with user:
        fields = {one.props.get("id"): one.props.get("defaultValue") for one in user.find(kind=ui.element).elements}
    assert fields["setting-epochs"] == "5" and fields["setting-lora_top_layers"] == "0.67"
    await user.should_see("preset: 1")


def test_every_finding_of_preflight_has_its_field():
    """A code that is written as it stands in the checks is shown beside a field, or is about exports, which are no setting."""
    import re

    said = set()
    for file in (ROOT / "brewslm/stages/preflight").glob("*.py"):
        said |= set(re.findall(r'(?:blocker|warning|tell|_finding)\(\s*"(\w+)"', file.read_text()))
    told_above = {"export_toolchain_missing", "export_format_unsupported", "disk_short_for_exports"}
    assert said and said - told_above <= set(FIELD_OF)
