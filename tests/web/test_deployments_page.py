import anyio
import pytest
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from brewslm.metrics.sketch import Sketch
from brewslm.observe.deployments import deployments
from brewslm.observe.drift import schedules
from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.serving.statistics import Tally
from brewslm.store.database import transaction
from brewslm.store.tables import DriftCheck, GatewayStatistic
from brewslm.web.drift_chart import options
from tests.versions import measured, version
from tests.web.test_data_page import links, native, perform, press

pytestmark = pytest.mark.anyio


@pytest.fixture
async def two(walk, card) -> tuple[int, int]:
    """default v1 superseded by v2, which had more rows right; and v3, pending, whose gates were missed."""

    def make() -> tuple[int, int]:
        walk.imported()
        walk.prepared()
        first = version(walk, measured(walk, card, 10), "superseded", 1)
        second = version(walk, measured(walk, card, 18), "promoted", 2, predecessor=first)
        version(walk, measured(walk, card, 5, promotable=False), "pending", 3)
        return first, second

    return await anyio.to_thread.run_sync(make)


def checked(walk, deployment: int, look: int, value: float, verdict: str = "steady") -> None:
    run = walk.run("check", "deploy.check_drift", request={"deployment": deployment}, result={"worse_rows": ["row-1", "row-2"]})
    with transaction() as session:
        session.add(
            DriftCheck(
                run_id=run, project_id=walk.project, deployment_id=deployment, look=look, verdict=verdict, rows_from="eval",
                rows_sha256="0", n=400, metric="accuracy", before=0.9, value=value, low=value - 0.03, high=value + 0.03,
                fall=0.9 - value, worse=12, better=2, p_value=0.0001, tolerance=0.01,
            )
        )  # fmt: skip


def counted(version_id: int) -> None:
    """What the gateway wrote of a day: 40 requests well, two refused."""
    tally = Tally(latency=Sketch(), speed=Sketch())
    tally.outcomes.update({"ok": 40, "endpoint_unavailable": 2})
    for _ in range(40):
        tally.latency.add(0.135)
        tally.speed.add(702.0)
    with transaction() as session:
        session.add(GatewayStatistic(version_id=version_id, day="2026-01-02", tally=tally.dump()))


async def test_without_a_version_the_page_says_what_to_do(user: User, project):
    await user.open(f"/projects/{project}/deployments")
    await user.should_see("No model answers yet: a version is made of an export, and promoted.")
    press(user, "New version")
    await user.should_see("A version is made of an export, and there is none yet.")
    assert links(user)["Export a model"] == f"/projects/{project}/export"


async def test_what_answers_what_waits_and_how_it_fares(user: User, walk, two):
    counted(two[1])
    checked(walk, two[1], 1, 0.9, "reference")
    checked(walk, two[1], 2, 0.84, "drifted")
    await user.open("/projects/1/deployments?days=ever")
    for seen in ("default v2 answers", "not up: brewslm serve starts it", "134 ms / 134 ms", "42", "2 (4.8 %)", "699", "look 2",
                 "84.0 % (81.0 % to 87.0 %)", "< 0.001", "drifted", "endpoint_unavailable"):  # fmt: skip
        await user.should_see(seen)
    await user.should_see('base_url="http://127.0.0.1/serve/1/default/v1"')
    await user.should_see('-d \'{"text": "A slow, lovely film."}\'')
    known = links(user)
    assert known["v2"] == f"/models/deployment-{two[1]}" and known["row-1"] == "/rows/row-1"
    await user.open("/projects/1/deployments")  # of the last seven days there is nothing
    await user.should_see("The gateway counted no request in this time")
    assert (await user.http_client.get("/projects/1/deployments?slot=canary")).status_code == 404


async def test_a_rollback_says_what_changes_and_takes_three_clicks_from_the_overview(user: User, two):
    await user.open("/projects/1/deployments")  # the first click: the rail
    press(user, "Roll back")
    for seen in ("Roll back default v2?", "In default answers: default v2 → default v1.", "default v2: promoted → rolled back",
                 "-40.0 points of rows right", "on the same 20 rows: 0 right only after, 8 right only before"):  # fmt: skip
        await user.should_see(seen)
    assert tasks(operation="deploy.rollback") == []
    now = user.find("Roll back default v2 now")
    now.click()
    now.click()
    await user.should_see("deploy.rollback")
    (run,) = tasks(operation="deploy.rollback")
    assert (run.actor, run.request) == ("page", {"deployment": two[1]})
    with pytest.raises(execute.RunFailed):
        await perform(run.task_id)
    await user.should_see("deployment_smoke_failed")  # its exported file is not there: nothing was moved
    assert deployments(1, "default")[1].state == "promoted"


async def test_a_promotion_that_would_be_refused_says_why_and_has_no_button(user: User, two):
    await user.open("/projects/1/deployments")
    press(user, "Promote")
    await user.should_see("deployment_promote_blocked")
    await user.should_see("eval-3 says that exp-3 is not promotable")
    await user.should_not_see("Promote default v3 now")
    press(user, "Reject")
    await user.should_see("What answers in default stays: default v2.")
    press(user, "Reject default v3 now")
    await user.should_see("deploy.reject")
    await perform(tasks(operation="deploy.reject")[0].task_id)
    await user.should_see("default v3 is rejected")
    assert deployments(1, "default")[0].state == "rejected"


async def test_a_version_is_made_of_an_export_under_a_name(user: User, two):
    await user.open("/projects/1/deployments?export=export-2")
    await user.should_see("Make a version of an export")
    native(user, "input", id="endpoint")[0].trigger("change", "Canary 2")
    press(user, "Make the version")
    await user.should_see("it is a lower-case letter, then at most 59 letters")
    native(user, "input", id="endpoint")[0].trigger("change", "canary")
    setting = next(one for one in user.client.elements.values() if str(one.props.get("id", "")).startswith("setting-parallel"))
    UserInteraction(user, {setting}, None).trigger("change", "many")
    press(user, "Make the version")
    await user.should_see("unable to parse string as an integer")
    UserInteraction(user, {setting}, None).trigger("change", "")
    press(user, "Make the version")
    await user.should_see("deploy.create")
    run = tasks(operation="deploy.create")[0]
    assert (run.request["export"], run.request["endpoint"]) == ("export-2", "canary")
    await perform(run.task_id)
    await user.should_see("canary v1 is pending: it serves export-2:gguf-q8_0.")
    await user.open("/projects/1/deployments?slot=canary")
    await user.should_see("Nothing answers in canary; 1 pending.")


async def test_a_check_is_asked_for_and_a_schedule_is_set_paused_and_removed(user: User, two):
    await user.open("/projects/1/deployments")
    await user.should_see("Nobody looks by itself: no schedule is set.")
    press(user, "Check now")
    await user.should_see("Check default v2 for drift?")
    native(user, "input", id="tolerance")[0].trigger("change", "much")
    press(user, "Check default v2 now")
    await user.should_see("It is a share from 0 to below 1")
    press(user, "Set a schedule")
    await user.should_see("When shall it be checked?")
    native(user, "input", id="cron")[0].trigger("change", "every night")
    press(user, "Set the schedule")
    await user.should_see("Five fields, such as")
    assert schedules(1) == []
    native(user, "input", id="cron")[0].trigger("change", "0 3 * * *")
    native(user, "input", id="timezone")[0].trigger("change", "Mars")
    press(user, "Set the schedule")
    await user.should_see("Name one as IANA does, such as Europe/Berlin or UTC.")
    native(user, "input", id="timezone")[0].trigger("change", "Europe/Berlin")
    press(user, "Set the schedule")
    await user.should_see("in Europe/Berlin")
    await user.should_see("Change the schedule")
    press(user, "Pause")
    await user.should_see("paused")
    assert schedules(1)[0].is_paused
    press(user, "Remove the schedule")
    await user.should_see("Its checks stay")
    press(user, "Remove the schedule now")
    await user.should_see("Nobody looks by itself")
    assert schedules(1) == []


def test_the_chart_has_each_look_with_its_interval_and_where_it_was(walk, card, project):
    from brewslm.observe.drift import checks

    walk.imported()
    walk.prepared()
    one = version(walk, measured(walk, card, 10), "promoted", 1)
    for look, value in enumerate((0.9, 0.88, 0.8), 1):
        checked(walk, one, look, value, "drifted" if look == 3 else "steady")
    drawn = options(checks(project)[::-1])
    *spans, points = drawn["series"]
    assert [span["data"] for span in spans][2] == [["3", 77.0], ["3", 83.0]]
    assert [one["value"] for one in points["data"]] == [["1", 90.0], ["2", 88.0], ["3", 80.0]]
    assert points["data"][2]["itemStyle"]["color"] == "var(--failed)" and points["markLine"]["data"] == [{"yAxis": 90.0}]
