"""Schedules tick for real, each due time counts once over workers and restarts, and what was missed is said."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.observe.drift import schedules
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.runs import ENDED
from brewslm.pipeline.schedules import catch_up, handle, tick
from brewslm.stages import evaluate
from brewslm.stages.deploy.cron import MOST_COUNTED, check_cron, due_between, next_times
from brewslm.stages.deploy.schedule import PauseRequest, ScheduleRequest, UnscheduleRequest
from brewslm.store.database import reading, transaction
from brewslm.store.tables import DriftSchedule, Run, RunEvent, Slot
from tests.drift import TRUTH, live_at, promoted_version, under_a_grammar, with_reference
from tests.openai_server import service
from tests.pipeline.test_drift import job_of
from tests.running import ours, until, working_here

EVERY_SECOND, EVERY_MINUTE = "* * * * * *", "* * * * *"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def version(project, tiny_base, tmp_path):
    made = promoted_version(project, tiny_base, tmp_path)
    with_reference(made, evaluate.live_rows(job_of(made).live).sha256)
    return made


@pytest.fixture
def live(version):
    """The version's live server, which answers as it should."""
    with service(under_a_grammar(TRUTH.get)) as running, live_at(version, running.base_url):
        yield running


@pytest.fixture
def hourly(project, version):
    """A schedule that was last seen to at noon, whenever that was; returns its number."""
    call("ana", ScheduleRequest(project=project, cron="0 * * * *"))
    with transaction() as session:
        found = session.scalars(select(DriftSchedule)).one()
        found.handled_until = NOON
        return found.id


def ticked():
    """Due time → run, of each run that a tick queued."""
    with reading() as session:
        found = session.scalars(select(Run).where(Run.actor == "schedule").order_by(Run.number))
        return {run.idempotency_key.split(":", 2)[2]: run for run in found}


def kept():
    with reading() as session:
        return session.scalars(select(DriftSchedule)).one_or_none()


def refused(request):
    with pytest.raises(RunFailed) as failed:
        call("ana", request)
    return failed.value.error


@pytest.mark.usefixtures("live")
def test_a_cron_ticks_for_real_and_each_due_time_counts_once_over_two_workers(project, home):
    with working_here("left"), ours(["worker", "--name", "right"], home / "right.log"):
        call("ana", ScheduleRequest(project=project, cron=EVERY_SECOND))
        until(lambda: len([run for run in ticked().values() if run.state == "succeeded"]) >= 3, "three checks")
        call("ana", UnscheduleRequest(project=project))
        until(lambda: all(run.state in ENDED for run in ticked().values()), "the end of each check that was queued")
    runs = ticked()
    with reading() as session:
        assert len(session.scalars(select(Run).where(Run.actor == "schedule")).all()) == len(runs)
        told = list(session.scalars(select(RunEvent.reason_code).where(RunEvent.actor == "schedule")))
    done = [run for run in runs.values() if run.state == "succeeded"]
    assert told.count("deployment_checked") == len(done) and all(run.attempt == 1 for run in done)
    assert sorted(run.result["look"] for run in done) == list(range(1, len(done) + 1))
    assert {datetime.fromisoformat(due).microsecond for due in runs} == {0}


@pytest.mark.usefixtures("live")
def test_a_worker_that_comes_back_makes_up_for_the_newest_missed_time_alone(project, hourly):
    began = datetime.now(UTC)
    call("ana", ScheduleRequest(project=project, cron=f"{(began.minute + 30) % 60} * * * *"))  # half an hour from the next time
    with transaction() as session:  # the server was off for a day and a half
        session.get_one(DriftSchedule, hourly).handled_until = began - timedelta(hours=36)
    with working_here("left"):
        until(lambda: [run for run in ticked().values() if run.state == "succeeded"], "the check that makes up")
    with working_here("left"):
        pass
    assert len(ticked()) == 1
    shown = schedules(project)[0]
    assert shown.missed == 35 and shown.last_state == "succeeded"
    assert timedelta(0) < datetime.now(UTC) - kept().handled_until < timedelta(hours=1)


def test_a_time_is_seen_to_once(hourly):
    one, two = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    first = handle(hourly, one)
    assert execute.look(first).request["deployment"] == 1 and handle(hourly, one) is None
    execute.cancel("ana", first)
    assert handle(hourly, two) != first and len(ticked()) == 2 and kept().missed == 0


def test_a_worker_that_was_killed_before_it_marked_the_time_queues_no_second_run(hourly):
    due = NOON + timedelta(hours=1)
    first = handle(hourly, due)
    with transaction() as session:
        session.get_one(DriftSchedule, hourly).handled_until = NOON  # as it was when it was killed
    execute.cancel("ana", first)
    assert handle(hourly, due) == first and len(ticked()) == 1


def test_a_time_that_comes_while_the_check_before_is_at_work_is_left_out_and_counted(hourly):
    first = handle(hourly, NOON + timedelta(hours=1))
    assert execute.look(first).state == "queued"
    assert handle(hourly, NOON + timedelta(hours=2)) is None
    assert (kept().missed, kept().last_run_id) == (1, first)


def test_a_slot_without_a_version_is_passed_over(hourly, project):
    with transaction() as session:
        session.scalars(select(Slot)).one().version_id = None
    assert handle(hourly, NOON + timedelta(hours=1)) is None and not ticked()
    assert kept().handled_until == NOON + timedelta(hours=1) and schedules(project)[0].deployment is None


def test_a_schedule_that_rests_is_not_due_and_goes_on_from_when_it_is_lifted(hourly, project):
    call("ana", PauseRequest(project=project))
    assert handle(hourly, NOON + timedelta(hours=1)) is None and catch_up(datetime.now(UTC)) == []
    assert schedules(project)[0].next_times == []
    call("ana", PauseRequest(project=project, paused=False))
    assert catch_up(datetime.now(UTC)) == [] and len(schedules(project)[0].next_times) == 3 and kept().missed == 0


@pytest.mark.usefixtures("live")
def test_what_is_paused_changed_or_removed_while_a_worker_runs_is_so_for_its_scheduler_too(project):
    from dbos import DBOS

    def given():
        return [(one["schedule"], one["cron_timezone"]) for one in DBOS.list_schedules(schedule_name_prefix="drift-")]

    with working_here("left"):
        call("ana", ScheduleRequest(project=project, cron=EVERY_SECOND))
        until(ticked, "its first tick")
        call("ana", PauseRequest(project=project))
        until(lambda: given() == [], "its end")
        call("ana", ScheduleRequest(project=project, cron="0 0 1 1 *", timezone="Europe/Berlin"))
        until(lambda: given() == [("0 0 1 1 *", "Europe/Berlin")], "the new one")
        call("ana", UnscheduleRequest(project=project))
        until(lambda: given() == [], "its end")


def test_a_tick_that_can_not_be_seen_to_ends_well(hourly, caplog):
    with transaction() as session:
        session.get_one(DriftSchedule, hourly).tolerance = 5.0  # no request takes it
    assert tick((NOON + timedelta(hours=1)).isoformat(), hourly) == ""
    assert "could not be seen to" in caplog.text and kept().handled_until == NOON
    assert tick(NOON.isoformat(), 99) == ""


def test_setting_pausing_and_removing_are_told(project, version):
    call("ana", ScheduleRequest(project=project, cron="0 3 * * *", timezone="Europe/Berlin", tolerance=0.05, rollback=True))
    shown = schedules(project)[0]
    assert [one.strftime("%H:%M") for one in shown.next_times] == ["03:00"] * 3 and shown.rollback and shown.tolerance == 0.05
    assert shown.next_times[0].utcoffset() in (timedelta(hours=1), timedelta(hours=2)) and shown.last_run is None
    call("bo", ScheduleRequest(project=project, cron="0 4 * * *"))
    assert len(schedules(project)) == 1 and schedules(project)[0].cron == "0 4 * * *" and not schedules(project)[0].rollback
    call("bo", PauseRequest(project=project))
    done = call("bo", UnscheduleRequest(project=project)).result
    assert done["action"] == "removed" and schedules(project) == []
    with reading() as session:
        told = [one.actor for one in session.scalars(select(RunEvent).where(RunEvent.reason_code == "deployment_scheduled"))]
    assert told == ["ana", "bo", "bo", "bo"]
    assert refused(UnscheduleRequest(project=project)).reason.code == "unknown_schedule"
    assert refused(PauseRequest(project=project, slot="other")).reason.code == "unknown_schedule"


@pytest.mark.parametrize(
    ("cron", "timezone", "cause"),
    [
        ("every day", "UTC", "columns"),
        ("61 * * * *", "UTC", "out of range"),
        ("0 3 30 2 *", "UTC", "can never occur"),
        ("0 0 0 1 1 * 2020", "UTC", "failed to find next date"),
        ("R 3 * * *", "UTC", "chance"),
        ("H(0-29) * * * *", "UTC", "chance"),
        ("0 3 * * *", "Europe/Berlim", "did you mean Europe/Berlin?"),
    ],
)
def test_what_can_not_be_kept_is_refused_with_its_cause(project, cron, timezone, cause):
    error = refused(ScheduleRequest(project=project, cron=cron, timezone=timezone))
    assert error.reason.code == "invalid_request" and cause in error.cause and kept() is None


def test_a_gold_set_that_is_not_there_is_refused_when_it_is_named(project):
    assert refused(ScheduleRequest(project=project, cron="0 3 * * *", gold_set="none")).reason.code == "unknown_gold_set"


def test_a_slot_that_no_version_is_for_is_refused(project, version):
    error = refused(ScheduleRequest(project=project, slot="defualt", cron="0 3 * * *"))
    assert error.reason.code == "unknown_slot" and "known: default" in error.cause and kept() is None


def test_times_are_read_in_the_time_zone_over_its_changes_too():
    berlin = next_times("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert [one.isoformat() for one in berlin] == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    newest, count = due_between("0 3 * * *", "Europe/Berlin", NOON, NOON + timedelta(days=10))
    assert (newest.isoformat(), count) == ("2026-06-11T03:00:00+02:00", 10)
    assert due_between("0 3 * * *", "UTC", NOON, NOON + timedelta(hours=1)) == (None, 0)


def test_of_very_many_missed_times_the_newest_is_found_at_once():
    newest, count = due_between(EVERY_SECOND, "UTC", NOON, NOON + timedelta(days=400))
    assert count == MOST_COUNTED and newest > NOON + timedelta(days=400) - timedelta(seconds=2)
    with pytest.raises(StageError, match="can't be kept"):
        check_cron("", "UTC")
