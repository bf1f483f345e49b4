"""The quickstart's own parts; that all of it works for real is `bench/quickstart.py`."""

import pytest
from typer.testing import CliRunner

from brewslm.cli import quickstart
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.sources.catalogue import quick_of, samples


def test_an_unknown_sample_is_refused_with_the_nearest_name():
    done = CliRunner().invoke(app, ["quickstart", "--sample", "movie-review"])
    assert done.exit_code == 2
    assert "did you mean movie-reviews?" in done.stderr


@pytest.mark.parametrize("name", [name for name, sample in samples().items() if sample.quickstart])
def test_every_sample_says_what_the_quickstart_does_with_it(name):
    quick = quick_of(name)
    assert quick.train_rows >= 500 and quick.eval_rows >= 100 and quick.ask


def test_a_sample_that_is_not_there_is_a_refusal():
    with pytest.raises(StageError) as refused:
        quick_of("nothing")
    assert refused.value.reason.code == "invalid_request"


def test_a_blocked_preflight_is_shown_by_its_codes():
    assert quickstart._checked({"passed": False, "plan": None, "findings": [{"code": "one_label"}]}) == ("blocked", "one_label")


def test_leaks_and_rows_are_in_the_line_of_prepare():
    result = {"version": 3, "rows": {"train": 1000, "dev": 100, "eval": 400}, "ledger": {"rejected": {"leak": 2}}}
    assert quickstart._prepared(result) == ("v3", "train 1,000 · dev 100 · eval 400 · leaks 2")


def test_a_figure_carries_half_its_interval():
    assert quickstart._percent({"value": 0.9, "low": 0.87, "high": 0.93}) == "90.0 % ± 3.0"


def test_a_line_stays_for_each_stage_on_stderr_alone(capsys):
    quickstart.Journey(quiet=False, seconds={"train": 125.0}).say(8, "train", "exp-1", "63 steps")
    quickstart.Journey(quiet=True).say(8, "train", "exp-1", "63 steps")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.split() == ["08", "train", "exp-1", "63", "steps", "2", "min", "5", "s"]
