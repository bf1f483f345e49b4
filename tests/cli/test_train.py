"""How a training run is gone on with at the terminal."""

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.pipeline import execute
from brewslm.stages.train import TrainRequest
from brewslm.store.files import read_json, run_folder

cli = CliRunner()


@pytest.fixture
def cancelled(project) -> str:
    """A run that was cancelled before anybody took it."""
    run_id = execute.queue("test", TrainRequest(project=project)).task_id
    return execute.cancel("test", run_id).task_id


@pytest.mark.parametrize(
    "option",
    [
        ("--project", "1"), ("--base-model", "pypi:x"), ("--recipe", "qa"), ("--set", "epochs=2"), ("--manifest", "1"),
        ("--eval-pack", "general"), ("--fail-open",),
    ],
    ids=lambda option: option[0],
)  # fmt: skip
def test_a_resume_names_the_option_that_it_would_pass_over(cancelled, option):
    done = cli.invoke(app, ["train", "--resume", cancelled, *option])
    assert done.exit_code == 2 and option[0] in done.output and "as it was begun" in done.output
    assert execute.look(cancelled).state == "cancelled"


def test_a_resume_may_be_detached_and_given_more_time(cancelled):
    done = cli.invoke(app, ["train", "--resume", cancelled, "--detach", "--timeout-minutes", "90"])
    assert done.exit_code == 0 and f"{cancelled} is queued" in done.stdout
    assert execute.look(cancelled).state == "queued"
    assert read_json(run_folder(cancelled) / execute.TIME_LIMIT) == 5400


def test_what_is_no_training_run_is_gone_on_with_by_another_command(project):
    done = cli.invoke(app, ["train", "--resume", "project-1"])
    assert done.exit_code == 2 and "project-1 is of project.create" in done.output


def test_what_has_no_time_limit_is_not_given_one(project):
    with pytest.raises(execute.StageError) as refused:
        execute.resume("test", "project-1", timeout_minutes=1)
    assert refused.value.reason.code == "run_conflict"
