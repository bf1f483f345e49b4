"""brewslm evaluate with a judge, as a person types it: what can't be meant so is said before anything is sent."""

import pytest
from typer.testing import CliRunner

from brewslm.cli.evaluate import _judged
from brewslm.cli.main import app

HERE = ("evaluate", "--experiment", "exp-1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--judge-url", "http://127.0.0.1:9/v1"), "--judge-model"),
        (("--judge-url", "127.0.0.1:9", "--judge-model", "m"), "begins with http"),
        (("--judge-url", "https://a-secret@host/v1", "--judge-model", "m"), "BREWSLM_JUDGE_API_KEY"),
    ],
)
def test_a_judge_that_can_not_be_asked_is_refused(project, words, said):
    done = CliRunner().invoke(app, [*HERE, *words])
    assert (done.exit_code, done.stdout) == (2, "") and said in done.stderr and "next:" in done.stderr


def test_a_person_is_told_that_rows_leave(project):
    done = CliRunner().invoke(app, [*HERE, "--judge-url", "https://judge.example/v1", "--judge-model", "m", "--judge-rows", "30"])
    assert "up to 30 held-out rows with their answers are sent to https://judge.example/v1" in done.stderr
    assert "unknown_run" in done.stderr


def test_the_judges_line_says_its_figure_and_how_far_it_agrees_or_why_there_is_none():
    report = {"model": "m", "host": "h", "problem": "", "metric": "judge_pass_rate", "judged": 90, "agreement_with": "people"}
    report |= {
        "mode": "absolute",
        "rubric_sha256": "00",
        "agreement": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 40, "agreed": 34},
    }
    systems = {"tuned": {"metrics": {"judge_pass_rate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90}}}}
    said = _judged(report, systems)
    assert said == "  judge m at h: judge_pass_rate 0.50 (0.40 to 0.60) on 90 rows; kappa 0.70 (0.60 to 0.80) with people on 40"
    assert _judged(report | {"agreement": None}, systems).endswith("agreement unknown")
    assert _judged(report | {"problem": "it can't be reached"}, systems) == "  judge m at h: no figure, it can't be reached"
