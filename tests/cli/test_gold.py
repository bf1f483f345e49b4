"""A gold set as a person makes one, from the draft to the lock; and over HTTP."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.synthetic import add_rows, reviews


@pytest.fixture
def rows(project):
    add_rows(project, reviews(50))
    assert CliRunner().invoke(app, ["prepare", "--project", str(project)]).exit_code == 0


def said(project, verb, *words, code=0):
    done = CliRunner().invoke(app, ["gold", verb, *map(str, words), "--project", str(project)])
    assert done.exit_code == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_gold_set_from_the_draft_to_the_lock(project, rows, tmp_path):
    assert "no gold set yet" in said(project, "list")
    assert "films@1 is a draft with 0 rows" in said(project, "draft", "films")
    drawn = said(project, "import", "films", "--rows", 6, "--stratified", "--seed", 3)
    assert drawn.splitlines()[:2] == ["films@1: 6 rows of eval of v1 were drawn", "left out: not_drawn 4"]
    waiting = json.loads(said(project, "rows", "films", "--reviewer", "ana", "--json"))
    assert len(waiting) == 6
    one, *others = [row["row_id"] for row in waiting]
    judged = tmp_path / "reviews.jsonl"
    judged.write_text("".join(json.dumps({"row_id": row, "verdict": "accepted"}) + "\n" for row in others))
    for reviewer in ("ana", "ben"):
        assert "says 5 accepted" in said(project, "review", "films", "--file", judged, "--reviewer", reviewer)
    correction = ("--verdict", "corrected", "--field", "label=mixed")
    said(project, "review", "films", "--row", one, *correction, "--reviewer", "ana")
    assert "gold_rows_unreviewed" in said(project, "lock", "films", code=1)
    said(project, "review", "films", "--row", one, "--verdict", "accepted", "--reviewer", "ben")
    assert "brewslm gold review --settle" in said(project, "lock", "films", code=1)
    assert f"{one}  disputed" in said(project, "rows", "films", "--state", "disputed")
    said(project, "review", "films", "--row", one, *correction, "--reviewer", "cleo", "--settle")
    locked = said(project, "lock", "films")
    assert "films@1 is locked: 6 rows, 1 of them corrected" in locked and "ana and ben: kappa" in locked
    shown = said(project, "show", "films")
    assert "locked" in shown and "ben reviewed 6" in shown and "sha256" in shown
    assert "gold_set_is_locked" in said(project, "import", "films", code=1)


def test_what_can_not_be_meant_so_is_one_message(project, rows, tmp_path):
    assert "it can't be asked so" in said(project, "draft", "Films!", code=2)
    said(project, "draft", "films")
    assert "two sources" in said(project, "import", "films", "--import", "import-1", "--manifest-version", 1, code=2)
    assert "no row was judged" in said(project, "review", "films", code=2)
    assert "name=value" in said(project, "review", "films", "--row", "r-1", "--verdict", "corrected", "--field", "x", code=2)
    broken = tmp_path / "reviews.jsonl"
    broken.write_text("{")
    assert "a line is no JSON" in said(project, "review", "films", "--file", broken, code=2)
    assert "fields that change" in said(project, "review", "films", "--row", "r-1", "--verdict", "corrected", code=2)
