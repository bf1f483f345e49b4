"""brewslm deploy check, checks, schedule and its kin, as a person types them."""

import json
import re

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.stages import evaluate
from tests.drift import OTHER, TRUTH, live_at, promoted_version, under_a_grammar, with_reference
from tests.openai_server import service
from tests.pipeline.test_drift import job_of

cli = CliRunner()


def run(*arguments):
    return cli.invoke(app, ["deploy", *arguments])


@pytest.fixture
def version(project, tiny_base, tmp_path):
    made = promoted_version(project, tiny_base, tmp_path)
    with_reference(made, evaluate.live_rows(job_of(made).live).sha256)
    return made


def check(version, said, *options):
    with service(under_a_grammar(said)) as live, live_at(version, live.base_url):
        return run("check", str(version), *options)


def test_a_check_says_what_it_found_and_what_its_rows_could_tell(version):
    steady = check(version, TRUTH.get)
    assert steady.exit_code == 0 and steady.stdout.splitlines() == [
        "default v1  look 1  24 of 24 rows of eval  steady",
        "accuracy 100.0 % (86.2 to 100.0), was 100.0 %; 0 rows got worse, 0 better",
        "p 1, drift at 0.00056 and below: 11 worse rows would have said it, had none got better",
    ]
    drifted = check(version, lambda text: OTHER[TRUTH[text]], "--rollback")
    lines = drifted.stdout.splitlines()
    assert drifted.exit_code == 0 and lines[0].endswith("drifted") and "24 rows got worse" in lines[1]
    assert re.fullmatch(r"worse: (\w+ ){5} \(brewslm row show ROW_ID\)", lines[3])
    assert lines[4].startswith("rollback: failed, deployment_rollback_no_predecessor  deploy-")
    table = run("checks", "--project", "1").stdout.splitlines()
    assert "drifted" in table[1] and "24 of eval" in table[1] and "0.0 %" in table[1] and "steady" in table[2]
    listed = json.loads(run("checks", "--project", "1", "--deployment", "1", "--limit", "1", "--json").stdout)
    assert [(one["look"], one["verdict"], len(one["worse_rows"])) for one in listed] == [(2, "drifted", 20)]


def test_a_check_without_a_live_server_says_how_to_get_one(version):
    refused = run("check", "1")
    assert refused.exit_code == 1 and "endpoint_unavailable" in refused.stderr and "brewslm serve" in refused.stderr
    assert "failed: endpoint_unavailable" in run("checks", "--project", "1").stdout
    assert run("check", "1", "--tolerance", "2").exit_code == 2
    assert json.loads(run("check", "1", "--detach", "--json").stdout)["state"] == "queued"


def test_a_schedule_is_set_shown_paused_and_removed(version):
    assert "no schedule yet" in run("schedules", "--project", "1").stdout
    done = run("schedule", "--project", "1", "--cron", "30 3 * * *", "--timezone", "Europe/Berlin").stdout
    assert done.startswith("slot default  30 3 * * * (Europe/Berlin)  set\nnext: ") and done.count("03:30:00") == 3
    line = run("schedules", "--project", "1").stdout.splitlines()[1]
    assert "03:30:00 Europe/Berlin" in line and "deployment 1" in line and "none yet" in line
    assert "paused" in run("pause-schedule", "--project", "1").stdout
    assert "paused" in run("schedules", "--project", "1").stdout
    assert "resumed" in run("pause-schedule", "--project", "1", "--resume").stdout
    assert "removed" in run("unschedule", "--project", "1").stdout
    assert json.loads(run("schedules", "--project", "1", "--json").stdout) == []
    assert run("unschedule", "--project", "1").exit_code == 1


def test_a_schedule_that_can_not_be_kept_exits_2_with_an_example(project):
    refused = run("schedule", "--project", "1", "--cron", "each night")
    assert refused.exit_code == 2 and "invalid_request" in refused.stderr and '"0 3 * * *"' in refused.stderr
