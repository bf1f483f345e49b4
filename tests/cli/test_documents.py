import json

from typer.testing import CliRunner

from brewslm.cli.main import app
from tests.filters.test_text import PROSE
from tests.readers.made import pdf

cli = CliRunner()


def test_add_list_and_clean_from_the_command_line(project, tmp_path):
    (tmp_path / "letter.md").write_text(f"# Letter\n\n{PROSE}")
    common = ["--project", str(project)]
    assert "no document yet" in cli.invoke(app, ["documents", "list", *common]).stdout
    assert "1 documents were added" in cli.invoke(app, ["documents", "add", *common, str(tmp_path / "letter.md")]).stdout
    assert "1 of 1 documents" in cli.invoke(app, ["clean", *common]).stdout
    assert "cleaned" in cli.invoke(app, ["documents", "list", *common]).stdout
    listed = json.loads(cli.invoke(app, ["documents", "list", *common, "--json"]).stdout)
    assert [one["state"] for one in listed] == ["cleaned"]


def test_a_missing_document_exits_1_with_its_code(project, tmp_path):
    refused = cli.invoke(app, ["documents", "add", "--project", str(project), str(tmp_path / "gone.txt")])
    assert refused.exit_code == 1 and "source_not_found" in refused.stderr and "next:" in refused.stderr


def test_detached_cleaning_is_queued_as_a_task(project):
    queued = json.loads(cli.invoke(app, ["clean", "--project", str(project), "--detach", "--json"]).stdout)
    assert (queued["task_id"], queued["state"]) == ("clean-1", "queued")


def test_a_file_locator_is_taken_and_what_was_left_out_of_a_folder_is_listed(project, tmp_path, monkeypatch):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.pdf").write_bytes(pdf("Words of a page"))
    (tmp_path / "inbox" / "b.csv").write_text("a,b\n")
    (tmp_path / "c.md").write_text(PROSE)
    monkeypatch.chdir(tmp_path)
    said = cli.invoke(app, ["documents", "add", "--project", str(project), "inbox", "file:c.md"]).stdout
    assert "2 documents were added" in said and "left out: b.csv (unknown_document_kind)" in said
