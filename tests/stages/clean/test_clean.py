import hashlib
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.observe.documents import documents
from brewslm.pipeline.execute import RunFailed, call
from brewslm.reasons import Reason
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import RunEvent
from tests.filters.test_text import PROSE
from tests.stages.clean.cleaning import letter


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def add(project, *paths):
    return call("test", AddRequest(project=project, paths=[str(path) for path in paths]))


def events(project) -> list[Reason]:
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.project_id == project).order_by(RunEvent.id))
        return [Reason.read(event.reason_code, orjson.loads(event.payload)) for event in found]


def test_documents_are_kept_by_content_and_adding_twice_adds_once(project, inbox):
    (inbox / "a.md").write_text(f"# A\n\n{PROSE}")
    (inbox / "same.txt").write_text(f"# A\n\n{PROSE}")
    (inbox / "b.txt").write_text("Another one.")
    (inbox / "empty.txt").touch()
    (inbox / "table.csv").write_text("a,b\n")
    view = add(project, inbox)
    assert (view.result["added"], view.result["known"]) == (2, 1)
    left_out = [("empty.txt", "source_empty"), ("table.csv", "unknown_document_kind")]
    assert [(one["name"], one["reason"]) for one in view.result["skipped"]] == left_out
    assert add(project, inbox / "b.txt").result["added"] == 0
    kept = [(one.name, one.media_type, one.state) for one in documents(project)]
    assert kept == [("a.md", "text/markdown", "added"), ("b.txt", "text/plain", "added")]
    assert (project_folder(project) / documents(project)[1].path).read_text() == "Another one."
    assert events(project) == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("gone.txt", None, "source_not_found"),
        ("empty.md", b" \n", "source_empty"),
        ("binary.txt", b"PK\x03\x04\x00\x00", "source_binary"),
        ("table.csv", b"a,b\n", "unknown_document_kind"),
    ],
)
def test_a_named_file_that_cannot_be_used_refuses_the_whole_call(project, inbox, name, content, code):
    (inbox / "good.txt").write_text(PROSE)
    if content is not None:
        (inbox / name).write_bytes(content)
    with pytest.raises(RunFailed) as failed:
        add(project, inbox / "good.txt", inbox / name)
    assert failed.value.error.reason.code == code
    assert documents(project) == [] and not (project_folder(project) / "documents").exists()


def test_a_folder_without_documents_and_a_relative_path_are_refused(project, inbox):
    for path in (inbox, Path("relative.txt")):
        with pytest.raises(RunFailed):
            add(project, path)


def test_cleaning_leaves_text_chunks_and_findings_without_any_value(project, inbox):
    (inbox / "a.md").write_text(f"# Letters\n\n{PROSE}\n\nWrite to ana@example.org.\nPage 1 of 2\n")
    add(project, inbox)
    view = call("test", CleanRequest(project=project))
    (document,) = documents(project)
    report = document.cleaned
    text = (project_folder(project) / report["path"]).read_text()
    assert text.endswith("Write to [EMAIL].") and report["trimmed_lines"] == {"pattern": 1}
    assert hashlib.sha256(text.encode()).hexdigest() == report["text_hash"]
    (finding,) = report["findings"]
    assert finding["type"] == "email" and text[finding["start"] : finding["end"]] == "[EMAIL]"
    assert 0.8 < report["quality"] <= 1.0
    lines = [orjson.loads(line) for line in (project_folder(project) / "cleaned/chunks.jsonl").read_bytes().splitlines()]
    assert [text[line["start"] : line["end"]] for line in lines] == [line["text"] for line in lines]
    assert {line["document"] for line in lines} == {document.id} and len({line["row_id"] for line in lines}) == len(lines)
    (event,) = events(project)
    assert event.code == "cleaning_completed" and event.pii_findings == {"email": 1} and event.chunks == len(lines)
    assert view.result["ledger"] == {"rows_in": 1, "rows_out": 1, "rejected": {}}


def test_a_bad_document_of_each_kind_has_its_reason_and_the_batch_goes_on(project, inbox):
    for number, (name, content) in enumerate(
        {
            "good.txt": PROSE.encode(),
            "again.txt": PROSE.upper().encode(),
            "bytes.txt": b"A caf\xc3\xa9 in the garden, \xff\x81 and a tree.",
            "boilerplate.txt": b"Page 1 of 3\n\nAll rights reserved.",
            "noise.txt": b"@@## ~~ ||| %%% >>>",
            "changed.txt": PROSE.replace("garden", "yard").encode(),
            "paper.pdf": b"%PDF-1.7",
        }.items()
    ):
        (inbox / f"{number}-{name}").write_bytes(content)
    add(project, inbox)
    (project_folder(project) / documents(project)[5].path).write_text("somebody changed it")
    ledger = call("test", CleanRequest(project=project)).result["ledger"]
    rejected = [
        "duplicate_document", "bad_encoding", "empty_text", "few_alphabetic_words", "source_changed", "document_corrupt",
    ]  # fmt: skip
    assert [one.reason for one in documents(project)] == [None, *rejected]
    assert ledger == {"rows_in": 7, "rows_out": 1, "rejected": dict.fromkeys(rejected, 1)}
    assert [path.name for path in (project_folder(project) / "cleaned").glob("*.txt")] == [f"{documents(project)[0].id}.txt"]


def test_the_policy_block_turns_a_document_with_personal_data_away_and_says_so(project, inbox):
    (inbox / "a.txt").write_text(f"{PROSE} Call +44 20 7946 0958.")
    (inbox / "b.txt").write_text(letter(1))
    add(project, inbox)
    call("test", CleanRequest(project=project, pii="block"))
    assert [one.reason for one in documents(project)] == ["pii_block", None]
    completed, block = events(project)
    assert completed.rejected == {"pii_block": 1}
    assert block.code == "cleaning_pii_block" and block.findings == {"phone": 1}
    assert (block.documents, block.document_ids) == (1, [documents(project)[0].id])
    call("test", CleanRequest(project=project))
    assert [one.reason for one in documents(project)] == [None, None]  # cleaning anew with another policy takes it in


def test_too_many_outliers_are_told_and_a_small_batch_is_not_judged(project, inbox):
    for number in range(6):
        (inbox / f"{number}.txt").write_text(f"{PROSE} The number of this letter is {number}.")
    (inbox / "long.txt").write_text(f"{PROSE} More of it. " * 400)
    add(project, inbox)
    call("test", CleanRequest(project=project))
    assert [event.code for event in events(project)] == ["cleaning_completed"]
    (inbox / "short.txt").write_text("A short line about rain.")
    add(project, inbox)
    call("test", CleanRequest(project=project))
    told = events(project)[-1]
    by_name = {one.name: one.id for one in documents(project)}
    assert told.code == "cleaning_outlier_threshold_exceeded" and told.share == 0.25
    assert told.document_ids == [by_name["long.txt"], by_name["short.txt"]]


def test_nothing_to_clean_fails_with_its_event(project):
    with pytest.raises(RunFailed) as failed:
        call("test", CleanRequest(project=project))
    assert failed.value.error.reason.code == "nothing_to_clean"
    assert [(event.code, event.problem) for event in events(project)] == [("cleaning_failed", "nothing_to_clean")]


def test_a_failed_cleaning_leaves_the_former_results(project, inbox):
    (inbox / "a.txt").write_text(PROSE)
    add(project, inbox)
    call("test", CleanRequest(project=project))
    before = documents(project)
    folder = project_folder(project) / "cleaned"
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    (inbox / "b.txt").write_text("Another letter about rain and snow.")
    add(project, inbox)
    folder.with_name(".cleaned.old").touch()  # a file where the swap wants to put a folder: the closing transaction fails
    with pytest.raises(RunFailed):
        call("test", CleanRequest(project=project))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    assert documents(project)[0] == before[0] and documents(project)[1].cleaned is None
    assert events(project)[-1].code == "cleaning_failed" and events(project)[-1].problem == "crashed"


def test_an_unknown_project_is_refused():
    with pytest.raises(StageError) as refused:
        call("test", CleanRequest(project=9))
    assert refused.value.reason.code == "unknown_project"
