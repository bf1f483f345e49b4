"""The Lab Journal is a pure function of the stream, and rewards what the product holds dear."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, zip_longest

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from brewslm.api.app import create_app
from brewslm.audit.chain import canonical
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe import journal_stream
from brewslm.observe.journal import achievements, diary, journal
from brewslm.observe.journal_kept import forget_replays
from brewslm.observe.journal_replay import Event, Replay, streaks
from brewslm.observe.journal_rules import ACHIEVEMENTS, CHANGES, DEEDS, level_begins, level_of, title_of
from brewslm.reasons import REGISTRY, Reason, Severity, Stage
from brewslm.reasons.deployment import DeploymentChanged, DeploymentChecked, DeploymentDriftDetected
from brewslm.reasons.eval import EvaluationCompleted, GoldSetLocked
from brewslm.reasons.ingestion import DatasetImportFailed, DatasetImportRun
from brewslm.reasons.prepare import DatasetPrepared
from brewslm.reasons.training import TrainingCompleted, TrainingOom, TrainingRetriedSmaller
from brewslm.settings import settings
from brewslm.store.database import transaction
from tests.events import write_events
from tests.observe.plain_replay import Event as PlainEvent
from tests.observe.plain_replay import Replay as PlainReplay

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def imported(accepted: int = 10, rejected: int = 2, source: str = "jsonl:a", forced: bool = False) -> DatasetImportRun:
    return DatasetImportRun(
        source=source,
        mapper="text_only",
        accepted_count=accepted,
        rejected_count=rejected,
        rejection_counts={},
        written_path="x",
        config_id=1,
        forced=forced,
    )


def prepared(version: int = 1, train: int = 100, leak: int = 0) -> DatasetPrepared:
    return DatasetPrepared(
        manifest_version=version,
        manifest_sha256=f"sha-{version}",
        task_profile="classification",
        rows={"train": train, "eval": 20},
        ledger={"rows_in": train + 20 + leak, "rows_out": train + 20} | ({"leak": leak} if leak else {}),
    )


def trained(number: int = 1, version: int = 1, base: str = "base", forced: bool = False, rows: int = 100) -> TrainingCompleted:
    return TrainingCompleted(
        experiment_id=f"exp-{number}",
        backend="hf",
        final_train_loss=0.114,
        best_dev_loss=None,
        steps=63,
        trained_rows=rows,
        real_tokens_per_second=1.0,
        adapter_sha256=f"adapter-{number}",
        base_sha256=base,
        manifest_version=version,
        ledger={},
        warnings=[],
        forced=forced,
    )


def measured(number: int = 1, tuned: float = 0.8876, low: float = 0.84, base_high: float = 0.75) -> EvaluationCompleted:
    return EvaluationCompleted(
        experiment_id=f"exp-{number}",
        eval_pack="general",
        metric="accuracy",
        n=400,
        tuned=tuned,
        tuned_interval=(low, 0.93),
        base=0.7051,
        base_interval=(0.66, base_high),
        gates_met=5,
        gates=5,
        promotable=True,
    )


def changed(action: str, version: int, slot: str = "default") -> DeploymentChanged:
    return DeploymentChanged(
        action=action, deployment_version_id=version, slot=slot, actor="ana", before="v1", after=f"v{version}"
    )


def checked(version: int = 1, look: int = 1) -> DeploymentChecked:
    return DeploymentChecked(
        deployment_version_id=version,
        slot="default",
        look=look,
        verdict="steady",
        metric="accuracy",
        rows_from="eval",
        n=200,
        before=0.9,
        now=0.89,
        p_value=0.5,
    )


def drifted(version: int) -> DeploymentDriftDetected:
    return DeploymentDriftDetected(
        deployment_version_id=version,
        slot="default",
        metric="accuracy",
        rows_from="eval",
        n=200,
        before=0.9,
        now=0.5,
        worse=80,
        better=0,
        p_value=0.0,
        alpha=0.01,
        tolerance=0.02,
    )


def locked(kappa: float | None = 0.7) -> GoldSetLocked:
    return GoldSetLocked(gold_set="support@1", sha256="gold", rows=60, rejected=0, reviewers=2, kappa=kappa)


def oom(number: int, signature: str = "aa") -> TrainingOom:
    return TrainingOom(signature=signature, experiment_id=f"exp-{number}", error="RuntimeError")


KINDS = {
    DatasetImportRun: "import", DatasetImportFailed: "import", DatasetPrepared: "prepare", EvaluationCompleted: "eval",
    DeploymentChanged: "deploy", DeploymentChecked: "check", DeploymentDriftDetected: "check", GoldSetLocked: "gold",
}  # fmt: skip


def stream(*reasons: Reason, project: int = 1, hours: float = 1, first_id: int = 1) -> list[Event]:
    """The events of these reasons, an hour apart."""
    return [
        Event(
            place, project, (START + timedelta(hours=hours) * (place - first_id)).isoformat(timespec="milliseconds"),
            reason.code, getattr(reason, "experiment_id", f"{KINDS.get(type(reason), 'run')}-{place}"),
            json.loads(canonical(reason.payload())),
        )
        for place, reason in enumerate(reasons, first_id)
    ]  # fmt: skip


def replayed(*reasons: Reason, **how) -> Replay:
    return Replay().feed(stream(*reasons, **how))


def whys(*reasons: Reason) -> list[str]:
    """For what they earned, without achievements."""
    known = {one.id for one in ACHIEVEMENTS}
    return [award.why for award in replayed(*reasons).awards if award.why not in known]


REASONS = st.one_of(
    st.builds(imported, st.integers(0, 5), st.integers(0, 2), st.sampled_from(["jsonl:a", "csv:b"]), st.booleans()),
    st.builds(prepared, st.integers(1, 3), st.integers(90, 92), st.integers(0, 1)),
    st.builds(
        trained, st.integers(1, 4), st.integers(1, 3), st.sampled_from(["base", "other"]), st.booleans(), st.integers(90, 110)
    ),
    st.builds(measured, st.integers(1, 4), low=st.sampled_from([0.7, 0.8])),
    st.builds(changed, st.sampled_from(["create", "promote", "reject", "rollback"]), st.integers(1, 3)),
    st.builds(checked, st.integers(1, 3)),
    st.builds(drifted, st.integers(1, 3)),
    st.builds(locked, st.sampled_from([None, 0.5, 0.7, 1.0])),
    st.builds(oom, st.integers(1, 4), st.sampled_from(["aa", "bb", "stopped"])),
    st.builds(
        TrainingRetriedSmaller,
        experiment_id=st.just("exp-1"),
        attempt=st.just(2),
        from_pack_tokens=st.just(2),
        to_pack_tokens=st.just(1),
    ),
)


@given(st.lists(REASONS, max_size=40), st.lists(st.integers(0, 40), max_size=6), st.floats(0.1, 40))
def test_however_the_stream_is_cut_into_batches_the_journal_is_the_same(reasons, cuts, hours):
    events = stream(*reasons, hours=hours)
    whole, parts = Replay().feed(events), Replay()
    for start, end in pairwise([0, *sorted(cuts), len(events)]):
        parts.feed(events[max(0, start - 2) : end])  # a batch that tells again what was read changes nothing
    assert parts == whole
    assert whole.experience == sum(award.experience for award in whole.awards)
    assert level_begins(level_of(whole.experience)) <= whole.experience < level_begins(level_of(whole.experience) + 1)


@given(
    st.lists(REASONS, max_size=60), st.floats(0.1, 40), st.lists(st.sampled_from([None, "exp-1", "exp", "import-2"]), max_size=60)
)
def test_the_fast_fold_is_the_plain_one(reasons, hours, runs):
    events = [
        event._replace(project=1 + event.id % 3 // 2, run_id=run)
        for event, run in zip_longest(stream(*reasons, hours=hours), runs[: len(reasons)], fillvalue=None)
    ]
    severities = [reason.severity for reason in reasons]
    fast = Replay().feed(events)
    plain = PlainReplay().feed(
        PlainEvent(*event[:3], severity, *event[3:5], canonical(event.payload))
        for event, severity in zip(events, severities, strict=True)
    )
    assert fast.awards == plain.awards and fast.unlocked == plain.unlocked and fast.counts == plain.counts
    assert fast.experience == plain.experience


@given(st.lists(REASONS, max_size=20), REASONS)
def test_nothing_that_happens_later_takes_anything_away(reasons, more):
    before, after = replayed(*reasons), replayed(*reasons, more)
    assert after.awards[: len(before.awards)] == before.awards and after.unlocked.items() >= before.unlocked.items()


@pytest.mark.parametrize(
    ("reasons", "earned"),
    [
        ([imported(), imported()], ["imports"]),
        ([imported(), imported(accepted=0)], ["imports"]),
        ([imported(), imported(accepted=11)], ["imports", "imports"]),
        ([imported(forced=True)], []),
        ([prepared(1), prepared(2)], ["manifests"]),
        ([prepared(1), prepared(2, train=101)], ["manifests", "manifests"]),
        ([prepared(leak=3)], ["manifests", "leaks_found"]),
        ([prepared(1), trained(1), prepared(2), trained(2, 2)], ["manifests", "trainings"]),
        ([prepared(1), trained(1), trained(2, base="other")], ["manifests", "trainings", "trainings"]),
        ([trained(forced=True)], []),
        ([oom(1)], []),
        ([oom(1), trained(1, forced=True)], []),
        ([oom(1), oom(1, "bb"), trained(1)], ["mended", "mended", "trainings"]),
        ([oom(1), trained(1), oom(2), trained(2, base="b")], ["mended", "trainings", "trainings"]),
        ([oom(1), imported()], ["imports"]),
        ([trained(), measured()], ["trainings", "evaluations", "beaten"]),
        ([trained(), measured(base_high=0.85)], ["trainings", "evaluations"]),
        ([trained(forced=True), measured()], ["evaluations"]),
        ([trained(1), trained(2), measured(1), measured(2)], ["trainings", "evaluations", "beaten", "evaluations"]),
        ([locked(), locked()], ["gold_sets"]),
        ([changed("create", 1), changed("promote", 1), changed("reject", 2)], ["promotions"]),
        ([changed("promote", 1), changed("promote", 2), changed("rollback", 1)], ["promotions", "promotions", "rollbacks"]),
        ([checked(look=1), checked(look=2), drifted(1)], ["drift_checks", "drifts_found"]),
    ],
)  # fmt: skip
def test_what_earns_and_what_does_not(reasons, earned):
    assert whys(*reasons) == earned


@pytest.mark.parametrize(
    ("unlocked", "reasons"),
    [
        ("honest", [changed("promote", 1), changed("promote", 2), drifted(2), changed("rollback", 1)]),
        (
            "out_of_memory",
            [TrainingRetriedSmaller(experiment_id="exp-1", attempt=2, from_pack_tokens=2, to_pack_tokens=1), trained(1)],
        ),
        ("small", [trained(rows=99), measured()]),
        ("unanimous", [locked(1.0)]),
        ("agreement", [locked(0.6)]),
        ("spotless", [imported(1000, 0)]),
        ("ten_thousand_rows", [imported(9_000, 1_000)]),
        ("three_sources", [imported(source=name) for name in "abc"]),
        ("first_mended", [oom(1), trained(1)]),
        ("week", [imported(source=f"jsonl:{day}") for day in range(7)]),
    ],
)
def test_an_achievement_is_unlocked_by_what_it_says_and_by_nothing_less(unlocked, reasons):
    assert unlocked in replayed(*reasons, hours=24).unlocked
    assert unlocked not in replayed(*reasons[:-1], hours=24).unlocked


def test_a_rollback_of_a_version_that_had_not_drifted_is_not_yet_honest():
    found = replayed(changed("promote", 1), changed("promote", 2), drifted(1), changed("rollback", 1)).unlocked
    assert "rollback" in found and "honest" not in found


def test_the_tables_speak_of_what_there_is():
    assert set(DEEDS) <= set(REGISTRY) and len({one.id for one in ACHIEVEMENTS}) == len(ACHIEVEMENTS)
    for code, deed in DEEDS.items():
        assert {name for name in deed.once_per if not name.startswith("@")} <= set(REGISTRY[code].model_fields)
    counted = {deed.counts for deed in (*DEEDS.values(), *CHANGES.values())}
    beside = {
        "rows_accounted", "sources", "bases", "agreed", "unanimous", "leaks_found", "beaten", "beaten_small", "mended", "streak",
        "honest_rollbacks", "spotless", "squeezed", "stopped_early", "steady",
    }  # fmt: skip
    assert {one.counts for one in ACHIEVEMENTS} <= counted | beside
    assert not {one.id for one in ACHIEVEMENTS} & (
        counted | {"mended", "beaten", "leaks_found"}
    )  # an award says for which of the two it is
    assert [level_begins(level) for level in (1, 2, 3)] == [0, 100, 382]
    assert (title_of(1), title_of(4), title_of(15), title_of(40)) == (
        "Intern", "Lab technician", "Distinguished engineer", "Distinguished engineer",
    )  # fmt: skip


@given(st.lists(st.integers(0, 40), max_size=20))
def test_streaks_are_days_in_a_row(numbers):
    days = [date(2026, 1, 1) + timedelta(days=number) for number in numbers]
    now, longest = streaks(days)
    have = set(numbers)
    runs = [next(length for length in range(1, 50) if start + length not in have) for start in have if start - 1 not in have]
    assert longest == max(runs, default=0)
    assert now == next((length for length in range(50) if not have or max(have) - length not in have), 0)


def test_the_diary_tells_a_day_in_sentences(project):
    told = [imported(), prepared(leak=1), trained(3), measured(3), oom(4)]
    write_events(
        project,
        [(START + timedelta(minutes=number), one) for number, one in enumerate(told)],
        ["import-1", "prepare-1", "exp-3", "eval-1", "exp-4"],
    )
    page = diary(project)
    assert page.day == date(2026, 3, 1) and [entry.at for entry in page.entries] == ["12:00", "12:01", "12:02", "12:03", "12:04"]
    assert [entry.said for entry in page.entries] == [
        "You imported 10 rows from jsonl:a with text_only, 2 told why not.",
        "You froze manifest v1 for classification: 100 train, 20 eval; 1 leak kept out.",
        "You trained exp-3: 63 steps, loss 0.11; 88.8 % against the base's 70.5 %.",
        "You measured exp-3 on 400 rows: accuracy 88.8 % against the base's 70.5 %; 5 of 5 gates met.",
        "exp-4: Training ran out of memory. (RuntimeError)",
    ]  # fmt: skip
    assert page.entries[2].unlocked == ["First brew"] and page.entries[4].experience == 0
    assert page.experience == journal(project).experience == sum(entry.experience for entry in page.entries)


def test_a_days_alike_events_are_told_in_one_line(project):
    write_events(project, [(START, oom(number)) for number in range(30)])
    entries = diary(project).entries
    assert len(entries) == 11 and entries[-1].more == 20 and "out of memory" in entries[-1].said


def test_days_are_those_of_the_zone_and_experience_is_not(project):
    write_events(
        project, [(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), imported()), (datetime(2026, 3, 3, tzinfo=UTC), imported(11))]
    )
    assert (diary(project, day=date(2026, 3, 1)).experience, diary(project, day=date(2026, 3, 1)).after) == (70, date(2026, 3, 3))
    berlin = diary(project, day=date(2026, 3, 2), zone="Europe/Berlin")
    assert berlin.entries[0].at == "00:30" and (berlin.before, berlin.after) == (None, date(2026, 3, 3))
    there, here = journal(project, "Europe/Berlin"), journal(project)
    assert (there.streak, here.streak, there.zone) == (2, 1, "Europe/Berlin") and there.experience == here.experience
    with pytest.raises(StageError) as unknown:
        journal(project, "Mars/Olympus")
    assert unknown.value.reason.code == "invalid_request"


def test_a_journal_goes_on_from_what_was_read_and_begins_anew_where_the_chain_is_another(project, monkeypatch):
    fed: list[int] = []
    feed = Replay.feed
    monkeypatch.setattr(Replay, "feed", lambda replay, events: feed(replay, [fed.append(event[0]) or event for event in events]))
    write_events(project, [(START + timedelta(hours=number), imported(source=f"jsonl:{number}")) for number in range(3)])
    assert journal(project).earned["imports"] == 60 and len(fed) == 3
    write_events(project, [(START + timedelta(hours=4), imported(source="jsonl:4"))])
    assert journal(project) == journal(project)
    assert journal(project).earned["imports"] == 80 and len(fed) == 4
    with transaction() as session:
        session.execute(text("DROP TRIGGER run_events_no_update"))
        session.execute(text("UPDATE run_events SET hash = 'another' WHERE project_id = :p AND sequence = 4"), {"p": project})
    assert journal(project).earned["imports"] == 80 and len(fed) == 8


def test_a_journal_that_could_not_be_read_is_read_from_its_beginning(project, monkeypatch):
    write_events(project, [(START + timedelta(hours=number), imported(source=f"jsonl:{number}")) for number in range(3)])
    assert journal(project).earned["imports"] == 60
    write_events(project, [(START + timedelta(hours=4), imported(source="jsonl:4"))])
    with monkeypatch.context() as broken:
        broken.setattr(Replay, "feed", lambda replay, _: replay.earned.append((1, project, str(START), 20, "imports")) or 1 / 0)
        with pytest.raises(ZeroDivisionError):
            journal(project)
    assert journal(project).earned["imports"] == 80


def test_the_journal_reads_the_stream_as_it_stands_however_it_is_cut(project, monkeypatch):
    """Also where a payload was tampered with, and beside another project; on Postgres row by row."""
    told = [imported(source=f"jsonl:{number}") for number in range(9)] + [oom(1), trained(1)]
    write_events(project, [(START + timedelta(hours=number), one) for number, one in enumerate(told)], [None] * 9 + ["exp-1"] * 2)
    write_events(
        0,
        [
            (START, DatasetImportFailed(source="x", mapper=None, error="E", problem="crashed", signature="ab")),
            (START, imported()),
        ],
    )
    whole = journal(project)
    assert whole.earned == {"achievements": 400, "imports": 180, "mended": 25, "trainings": 50}
    for at_once in (1, 3, 10):
        monkeypatch.setattr(journal_stream, "AT_ONCE", at_once)
        forget_replays()
        assert journal(project) == whole and journal().earned["imports"] == 200
    with transaction() as session:
        session.execute(text("DROP TRIGGER run_events_no_update"))
        session.execute(text("UPDATE run_events SET payload = '{}],[{' WHERE project_id = :p AND sequence = 2"), {"p": project})
        session.execute(text("UPDATE run_events SET actor = 'x' || char(31) WHERE sequence = 3"))
    forget_replays()
    assert journal(project).earned["imports"] == 160 and journal().earned["imports"] == 180


def test_a_new_stage_shows_in_the_diary_by_its_meaning_alone(project):
    class DistillationCompleted(Reason, stage=Stage.TRAINING, severity=Severity.INFO):
        """A small model learned from a larger one."""

    try:
        write_events(project, [(START, DistillationCompleted())], ["distill-1"])
        assert [entry.said for entry in diary(project).entries] == ["distill-1: A small model learned from a larger one."]
    finally:
        del REGISTRY["distillation_completed"]
    assert [entry.said for entry in diary(project).entries] == ["distill-1: Distillation completed."]


def test_a_hidden_achievement_is_told_when_it_is_unlocked(project):
    write_events(project, [(START, imported(1000, 0))], ["import-1"])
    found = achievements(project)
    assert [one.title for one in found if one.at] == ["First rows", "Spotless"] and len(found) == len(ACHIEVEMENTS)
    assert {(one.title, one.what) for one in found if one.hidden and not one.at} == {("Hidden", "")}
    assert {(one.done, one.times) for one in found if one.id == "ten_thousand_rows"} == {(1000, 10_000)}


def test_switched_off_there_is_no_journal_and_the_stream_is_as_it_was(walk, monkeypatch):
    monkeypatch.setenv("BREWSLM_JOURNAL", "false")
    settings.cache_clear()
    walk.imported()
    for ask in (journal, diary, achievements):
        with pytest.raises(StageError) as off:
            ask(walk.project)
        assert off.value.reason.code == "journal_off"
    monkeypatch.setenv("BREWSLM_JOURNAL", "true")
    settings.cache_clear()
    (entry,) = diary(walk.project).entries
    assert entry.said.startswith("You imported 60 rows from jsonl:") and journal(walk.project).experience == entry.experience


def test_a_day_that_is_none_and_a_stage_that_is_none_are_told_with_what_there_is():
    cli = CliRunner()
    refused = cli.invoke(app, ["journal", "--day", "x"], env={"COLUMNS": "200"})
    assert refused.exit_code == 2 and "x is no day; such as 2026-11-30" in refused.stderr
    refused = cli.invoke(app, ["audit", "tail", "--stage", "nope"], env={"COLUMNS": "200"})
    assert refused.exit_code == 2 and "--stage: there is no nope; there are ingestion, cleaning, prepare" in refused.stderr


def test_the_command_line_and_the_api_tell_the_same(project):
    cli = CliRunner()
    assert "nothing happened" in cli.invoke(app, ["journal", "--project", str(project)]).stdout
    write_events(project, [(START, imported())], ["import-1"])
    shown = cli.invoke(app, ["journal", "--project", str(project), "--day", "2026-03-01"]).stdout
    assert "level 1, Intern: 70 points" in shown and "  12:00  You imported 10 rows" in shown and "unlocked: First rows" in shown
    assert "✓  First rows" in cli.invoke(app, ["journal", "achievements"]).stdout
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        at = f"/api/projects/{project}/journal"
        told = json.loads(cli.invoke(app, ["journal", "--project", str(project), "--json"]).stdout)
        assert told == {"journal": client.get(at).json(), "day": client.get(f"{at}/diary", params={"day": "2026-03-01"}).json()}
        assert client.get("/api/journal").json() == told["journal"] | {"project": None}
        assert client.get(f"{at}/achievements").json() == json.loads(
            cli.invoke(app, ["journal", "achievements", "--json"]).stdout
        )
        assert client.get("/api/projects/9/journal").json()["code"] == "unknown_project"
    assert cli.invoke(app, ["journal", "--zone", "Nowhere"]).exit_code == 2
