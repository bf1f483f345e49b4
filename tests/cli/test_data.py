import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brewslm.cli.data_views import short
from brewslm.cli.main import app
from brewslm.store.files import project_folder

cli = CliRunner()
REVIEWS = "".join(
    json.dumps({"text": f"A film of {n} moments, and a lovely one.", "label": n % 2}) + "\n" for n in range(12)
) + "{broken\n" + json.dumps({"text": "A film of 1 moments, and a lovely one.", "label": 1}) + "\n"  # fmt: skip


@pytest.fixture
def reviews(tmp_path: Path) -> str:
    (tmp_path / "reviews.jsonl").write_text(REVIEWS)
    return f"jsonl:{tmp_path / 'reviews.jsonl'}"


def test_ingest_says_what_was_kept(project: int, reviews: str) -> None:
    done = cli.invoke(app, ["ingest", "--project", "1", "--locator", reviews])
    assert done.exit_code == 0
    assert done.stdout.startswith("13 rows, 1 unparseable (invalid_json 1)\nkept as sources/")
    assert "next: brewslm map" in done.stdout


def test_introspect_needs_no_project(home: Path, reviews: str) -> None:
    done = cli.invoke(app, ["introspect", "--locator", reviews])
    assert done.exit_code == 0 and "1. label_to_classification  0.95  text=text, label=label" in done.stdout
    found = json.loads(cli.invoke(app, ["introspect", "--locator", reviews, "--json"]).stdout)
    assert [one["column_type"] for one in found["column_signatures"]] == ["text_like", "class_id"]
    assert found["proposal"]["needs_force"] is False and found["confidence_threshold"] == 0.8
    assert not home.exists()


def test_a_dry_run_shows_counts_and_sample_and_writes_no_row(project: int, reviews: str) -> None:
    done = cli.invoke(app, ["map", "--project", "1", "--locator", reviews, "--auto", "--drop", "invalid_json"])
    assert done.exit_code == 0
    assert "12 accepted, 2 rejected (invalid_json 1, duplicate_row 1)" in done.stdout
    assert "  - row 14 duplicate_row" in done.stdout and "row 13" not in done.stdout
    assert "dry run: nothing was written" in done.stdout
    assert done.stderr.splitlines()[0].startswith("01 ingest") and "confidence 0.95" in done.stderr
    assert not (project_folder(1) / "synthetic").exists()


def test_a_commit_says_where_its_rows_stand(project: int, reviews: str) -> None:
    done = cli.invoke(app, ["map", "--project", "1", "--locator", reviews, "--auto", "--limit", "5", "--commit"])
    assert done.exit_code == 0 and "5 accepted, 0 rejected\n" in done.stdout
    assert "import-1: appended to synthetic/synthetic.jsonl" in done.stdout


def test_json_is_all_that_stands_on_stdout(project: int, reviews: str) -> None:
    arguments = ["map", "--project", "1", "--locator", reviews, "--auto", "--json"]
    dry, wet = cli.invoke(app, arguments), cli.invoke(app, [*arguments, "--commit"])
    assert dry.stderr == wet.stderr == ""
    preview, run = json.loads(dry.stdout), json.loads(wet.stdout)
    assert preview["dry_run"] is True and preview["rejection_counts"] == run["result"]["rejection_counts"]
    assert run["task_id"] == "import-1" and run["result"]["config_id"] == 1


@pytest.mark.parametrize(
    ("locator", "code", "status"),
    [
        ("jsonl:missing.jsonl", "source_not_found", 1),
        ("jsonl:.", "source_is_directory", 1),
        ("jsonl:empty.jsonl", "source_empty", 1),
        ("jsonl:binary.jsonl", "source_binary", 1),
        ("jsnl:reviews.jsonl", "unknown_scheme", 2),
        ("csv:unsure.csv", "low_confidence", 4),
    ],
)
def test_bad_input_is_told_in_four_parts_with_its_exit_code(
    project: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locator: str, code: str, status: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "binary.jsonl").write_bytes(b"\x89PNG\x00\x00")
    (tmp_path / "unsure.csv").write_text("a,b\nx y,z\nu v,w\nq r,z\n")
    arguments = ["map", "--project", "1", "--locator", locator, "--auto", "--commit"]
    refused = cli.invoke(app, arguments)
    assert refused.exit_code == status and refused.stdout == ""
    said = refused.stderr[refused.stderr.index(code) :].splitlines()
    assert len(said) >= 3 and said[-1].startswith("  next: ")
    problem = json.loads(cli.invoke(app, [*arguments, "--json"]).stdout)
    assert problem["code"] == code and problem["next_step"]
    assert not (project_folder(1) / "synthetic").exists()


def test_an_unknown_project_is_refused(project: int, reviews: str) -> None:
    for verb in (["ingest"], ["map", "--auto"]):
        refused = cli.invoke(app, [*verb, "--project", "9", "--locator", reviews])
        assert refused.exit_code == 1 and "unknown_project" in refused.stderr


def test_a_map_entry_without_an_equals_sign_is_a_usage_error(project: int, reviews: str) -> None:
    refused = cli.invoke(app, ["map", "--project", "1", "--locator", reviews, "--map", "text"])
    assert refused.exit_code == 2 and "field=column" in refused.stderr


def test_the_catalogues_can_be_read() -> None:
    listed = json.loads(cli.invoke(app, ["sources", "--json"]).stdout)
    schemes = [one["scheme"] for one in listed["sources"]]
    local = {"jsonl", "json", "csv", "tsv", "parquet", "xlsx", "file", "mended"}
    assert set(schemes) == local | {"sample", "url", "hf", "kaggle"} and schemes[0] == "jsonl"
    samples = {"movie-reviews", "us-addresses", "support-qa", "do-not-answer", "librivox"}
    assert {one["locator"] for one in listed["samples"]} == {f"sample:{name}" for name in samples}
    assert "sample:movie-reviews" in cli.invoke(app, ["sources"]).stdout
    mappers = json.loads(cli.invoke(app, ["mappers", "--json"]).stdout)
    assert mappers[0]["fields"]["label"]["required"] is True
    assert "bio_to_spans → structured_extraction" in cli.invoke(app, ["mappers"]).stdout


def test_a_long_locator_keeps_its_end() -> None:
    assert short("jsonl:/a/very/long/path/to/some/reviews.jsonl") == "jsonl:…to/some/reviews.jsonl"
    assert len(short("jsonl:/a/very/long/path/to/some/reviews.jsonl")) == 28


def alias(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli.dataset_import", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_pages_own_command_works_in_an_empty_home(home: Path) -> None:
    done = alias("run", "--locator", "sample:movie-reviews", "--project", "1", "--auto", "--limit", "5000")
    assert done.returncode == 0, done.stderr
    assert "5,000 of the source's 10,605 rows, drawn from all of it" in done.stdout
    assert "4,747 accepted, 253 rejected (neutral_score 252, duplicate_row 1)" in done.stdout
    assert (home / "projects" / "1" / "synthetic" / "synthetic.jsonl").exists()


def test_the_alias_knows_its_verbs_and_no_others() -> None:
    assert alias("mappers").returncode == 0
    unknown = alias("commit")
    assert unknown.returncode == 2 and "run,preview,introspect,sources,mappers" in unknown.stderr
    assert alias("--help").returncode == 0


def test_imports_are_listed_undone_and_their_rejected_rows_mended(home: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a fine film", "label": "good"}\n{"text": "a dull film", "label": "bad"}\n{broken\n')
    command = ["map", "--project", "1", "--locator", f"jsonl:{rows}", "--mapper", "label_to_classification"]
    done = cli.invoke(app, [*command, "--map", "text=text", "--map", "label=label", "--commit"])
    assert done.exit_code == 0 and "labels (good 1, bad 1)" in done.stdout
    out = tmp_path / "mend.jsonl"
    done = cli.invoke(app, ["rejected", "export", "import-1", "--out", str(out)])
    assert "1 row in" in done.stdout and f"brewslm rejected reimport import-1 --file {out}" in done.stdout
    assert cli.invoke(app, ["rejected", "export", "import-1", "--reason", "empty_text"]).stdout == ""
    assert cli.invoke(app, ["rejected", "export", "import-1", "--out", str(out)]).exit_code == 2
    mended = json.loads(out.read_text()) | {"text": '{"text": "mended", "label": "good"}'}
    out.write_text(json.dumps(mended) + "\n")
    done = cli.invoke(app, ["rejected", "reimport", "import-1", "--file", str(out)])
    assert done.exit_code == 0 and "1 accepted, 0 rejected" in done.stdout and "import-2 mends import-1" in done.stdout
    done = cli.invoke(app, ["import", "undo", "import-2"])
    assert "import-2: its 1 rows count no more (undo-1)" in done.stdout
    listed = cli.invoke(app, ["import", "list", "--project", "1"]).stdout
    assert "undone by undo-1" in listed and "invalid_json 1" in listed
    assert [one["import_run"] for one in json.loads(cli.invoke(app, ["import", "list", "--project", "1", "--json"]).stdout)] == [
        "import-1",
        "import-2",
    ]
    assert "text=text, label=label" in cli.invoke(app, ["import", "configs", "--project", "1"]).stdout
    done = cli.invoke(app, ["map", "--project", "1", "--locator", f"jsonl:{rows}", "--config", "1"])
    assert done.exit_code == 0 and "0 accepted, 3 rejected (duplicate_row 2, invalid_json 1)" in done.stdout
    undone_twice = cli.invoke(app, ["import", "undo", "import-2", "--json"])
    assert undone_twice.exit_code == 1 and json.loads(undone_twice.stdout)["code"] == "run_conflict"
