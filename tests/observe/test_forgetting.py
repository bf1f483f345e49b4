"""A row that was forgotten: nothing in the project says what it said, the books close, and whoever is killed in it goes on."""

import csv
import json
import os
import signal
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from brewslm.audit.committer import COMMITTER
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.forgetting import forget_plan
from brewslm.observe.rowpassport import row_passport
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.forget import ForgetRequest, operation
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.rows import RowFile
from brewslm.rows.manifest import PreparedData
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest
from brewslm.store.database import forget_connections, reading, transaction
from brewslm.store.files import project_folder, run_folder, write_atomic, write_json
from brewslm.store.locks import lock
from brewslm.store.tables import DataManifest, Document, Run, RunEvent, Source
from tests.stages.clean.cleaning import letter
from tests.synthetic import reviews


def text_of(row_id: str) -> str:
    return row_passport(row_id).fates[0].payload["text"]


def holding(home: Path, text: str) -> list[str]:
    """Files of the home that say it, as it is or as JSON escapes it: also the database and what lies beside it."""
    forms = {text.encode(), json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
    files = [one for one in home.rglob("*") if one.is_file()]
    return [str(one.relative_to(home)) for one in files if any(form in one.read_bytes() for form in forms)]


@pytest.fixture
def lived(walk):
    """A project whose rows were imported, prepared, trained on, evaluated, quoted and drawn into a gold set."""
    walk.imported()
    ids = walk.prepared()
    experiment = walk.trained([ids["train"], ids["train"][:1]])
    evaluation = walk.evaluated(experiment, dict.fromkeys(ids["eval"], False))
    walk.exported(experiment)
    folder, run = project_folder(walk.project), run_folder(evaluation)
    for row in (ids["train"][0], ids["eval"][0]):
        text = text_of(row)
        prompt = {"call": 0, "sent": f"<|im_start|>user\nReview: {text}<|im_end|>", "told": {"answer": text.split()[0]}}
        write_atomic(run / f"answers/{row}.jsonl", orjson.dumps({"made_from": "x"}) + b"\n" + orjson.dumps(prompt) + b"\n")
        exemplars = {"exemplars": [{"row_id": row, "quote": text[:20]}]}
        write_json(folder / "evaluations" / evaluation / f"errors-{row}.json", exemplars)
        write_atomic(folder / f"requests/{row}.jsonl", orjson.dumps({"asked": {"prompt": f"say {text}"}, "status": 200}) + b"\n")
        write_atomic(run / f"{row}.log", f"could not read {json.dumps(text)}\n".encode())
        with transaction() as session:
            session.get_one(Run, evaluation).problem = {"detail": f"of {text}"}
    call("test", GoldDraftRequest(project=walk.project, name="support"))
    call("test", GoldImportRequest(project=walk.project, name="support"))
    return walk


@pytest.mark.parametrize("split", ["train", "eval"])
def test_nothing_says_what_it_said_and_the_books_close(lived, home, split):
    row, project = lived.ids[split][0], lived.project
    text, other = text_of(row), text_of(lived.ids[split][1])
    before = forget_plan(row)
    assert before.row_ids == [row] and before.same == [] and len(holding(home, text)) > 5
    done = call("test", ForgetRequest(row_id=row)).result
    assert holding(home, text) == [] and holding(home, other) != []
    assert done["files"] >= len(before.files) > 5
    with reading() as session:
        frozen = session.scalars(select(DataManifest)).one()
        told = session.scalars(select(RunEvent).where(RunEvent.reason_code == "row_forgotten")).one()
    manifest = PreparedData(project_folder(project) / frozen.path, frozen.sha256).manifest
    ledger = manifest.ledger
    assert ledger.rejected["forgotten"] == 1 and ledger.rows_in == ledger.rows_out + ledger.rejected_count
    left = [row for row in PreparedData(project_folder(project) / frozen.path, frozen.sha256).rows(split) if row.slice is None]
    assert manifest.rows[split] == len(lived.ids[split]) - 1 == len(left)
    assert manifest.forgotten[0].row_ids == [row]
    payload = orjson.loads(told.payload)
    assert payload["row_ids"] == [row] and text not in told.payload
    assert {one["path"] for one in payload["changed"]} >= {f"prepared/v1/{split}.jsonl", "prepared/v1/manifest.json"}


def test_whoever_saw_it_is_named_and_its_passport_says_that_it_is_forgotten(lived):
    row = lived.ids["train"][0]
    saw = forget_plan(row).saw
    assert saw.manifests == ["v1: train"] and saw.experiments == ["exp-1: steps 1, 2"]
    assert saw.evaluations == ["eval-1 of exp-1"] and saw.exports == ["export-1 of exp-1"]
    assert forget_plan(lived.ids["eval"][0]).saw.gold_sets == ["support@1"]
    call("test", ForgetRequest(row_id=row))
    found = row_passport(row)
    assert (found.forgotten.run_id, found.forgotten.actor) == ("forget-1", "test")
    assert found.fates[0].payload == {} and found.origin.line in (None, {}) and found.trained[0].steps == [1, 2]
    assert [one.split for one in found.splits] == ["train"]


def test_it_is_not_taken_in_again_neither_from_its_source_nor_from_another(lived, home):
    row, project = lived.ids["train"][0], lived.project
    text = text_of(row)
    call("test", ForgetRequest(row_id=row))
    source = lived.folder / "reviews-60.jsonl"
    again = ImportRequest(project=project, locator=f"jsonl:{source}", auto=True, force=True, commit=True)
    counts = import_rows("test", again).run.result["rejection_counts"]
    assert counts["forgotten"] == 1
    call("test", IngestRequest(project=project, locator=f"jsonl:{source}"))
    other = lived.folder / "other.jsonl"
    lines = source.read_bytes().splitlines()
    other.write_bytes(b'{"text": "a new one that nobody knows", "label": "positive"}\n' + b"\n".join(lines) + b"\n")
    asked = ImportRequest(project=project, locator=f"jsonl:{other}", auto=True, force=True, commit=True)
    assert import_rows("test", asked).run.result["rejection_counts"]["forgotten"] == 1
    assert [name for name in holding(home, text) if not name.startswith(f"projects/{project}/sources/")] == []
    call("test", PrepareRequest(project=project, eval_rows=10, dev_rows=4))
    with reading() as session:
        newest = session.scalars(select(DataManifest).order_by(DataManifest.id.desc())).first()
    manifest = PreparedData(project_folder(project) / newest.path, newest.sha256).manifest
    assert manifest.ledger.rejected["forgotten"] == 1


def test_a_table_of_another_kind_is_emptied_at_its_place(walk, home):
    path = walk.folder / "reviews.csv"
    with path.open("w", newline="") as file:
        made = csv.DictWriter(file, ["text", "label"])
        made.writeheader()
        made.writerows(reviews(20))
    asked = ImportRequest(project=walk.project, locator=f"csv:{path}", auto=True, force=True, commit=True)
    import_rows("test", asked)
    rows = list(RowFile(project_folder(walk.project) / "synthetic/synthetic.jsonl").rows())
    text = rows[4]["payload"]["text"]
    call("test", ForgetRequest(row_id=rows[4]["row_id"]))
    assert holding(home, text) == [] and text in path.read_text()
    with reading() as session:
        source = session.scalars(select(Source)).one()
    assert source.path.endswith(".jsonl") and source.scheme == "jsonl" and source.kept_sha256
    assert forget_plan(rows[4]["row_id"]).outside == [f"csv:{path}, record {rows[4]['position']}"]
    counts = import_rows("test", asked).run.result["rejection_counts"]
    assert counts == {"duplicate_row": 19, "forgotten": 1}


def test_a_file_that_was_tampered_with_before_stays_found(lived):
    folder = project_folder(lived.project) / "prepared/v1"
    with (folder / "eval.jsonl").open("ab") as file:
        file.write(b" ")
    call("test", ForgetRequest(row_id=lived.ids["train"][0]))
    with reading() as session:
        frozen = session.scalars(select(DataManifest)).one()
    with pytest.raises(StageError) as refused:
        PreparedData(folder / "manifest.json", frozen.sha256)
    assert (refused.value.where, refused.value.cause) == ("eval.jsonl", "its SHA-256 differs")


def test_what_knew_the_former_hash_is_told_that_a_row_was_forgotten(lived):
    with reading() as session:
        former = session.scalars(select(DataManifest)).one().sha256
    call("test", ForgetRequest(row_id=lived.ids["train"][0]))
    with pytest.raises(StageError) as refused:
        PreparedData(project_folder(lived.project) / "prepared/v1/manifest.json", former)
    assert refused.value.cause == "a row was forgotten since, by forget-1"


def killed_in(request: ForgetRequest, at: str, number: int) -> int:
    """The operation in a child that is killed before its number-th file gets its name, or before the database is written anew."""
    COMMITTER.settle()  # a lock of the home or of SQLite that its thread held then would be held in the child for ever
    forget_connections()
    child = os.fork()
    if child == 0:
        left = [number]

        def die(*_):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        if at == "replace":
            replace = Path.replace
            Path.replace = lambda self, target: (die(), replace(self, target))[1]
        else:
            owners = {"forget": operation.tables_of, "forget_unnamed": operation, "_write_anew": operation}
            setattr(owners[at], at, die)
        try:
            execute.call("test", request)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize(
    ("at", "number"),
    [("replace", 2), ("replace", 4), ("replace", 9), ("replace", 14), ("forget", 1), ("forget_unnamed", 1), ("_write_anew", 1)],
)
def test_whoever_is_killed_in_it_leaves_enough_to_go_on(lived, home, at, number):
    row = lived.ids["train"][0]
    text = text_of(row)
    status = killed_in(ForgetRequest(row_id=row), at, number)
    assert os.WIFSIGNALED(status), "it was not killed"
    assert holding(home, text) != []
    call("test", ForgetRequest(row_id=row))
    assert holding(home, text) == []
    with reading() as session:
        frozen = session.scalars(select(DataManifest)).one()
    assert PreparedData(project_folder(lived.project) / frozen.path, frozen.sha256).manifest.ledger.rejected["forgotten"] == 1


def test_rows_that_say_the_same_are_named_and_forgotten_when_asked_for(walk, home):
    same = {"text": "the same words stand in two lines of the source", "label": "positive"}
    path = walk.folder / "twice.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in [same, *reviews(10), same]))
    import_rows("test", ImportRequest(project=walk.project, locator=f"jsonl:{path}", auto=True, force=True, commit=True))
    first = next(RowFile(project_folder(walk.project) / "synthetic/synthetic.jsonl").rows())["row_id"]
    twin = first.rpartition("-")[0] + "-12"
    assert forget_plan(first).same == [twin]
    call("test", ForgetRequest(row_id=first))
    assert holding(home, same["text"]) != []
    call("test", ForgetRequest(row_id=first, equal=True))
    assert holding(home, same["text"]) == [] and row_passport(twin).forgotten is not None


def test_what_other_rows_say_too_is_left_where_it_is_nobodys_own(walk, home):
    shared = "You are a helpful assistant of the okapi house."
    rows = [{"messages": [{"role": "system", "content": shared}, {"role": "user", "content": f"ask the keeper about number {n}"},
                          {"role": "assistant", "content": f"the keeper says {n}"}]} for n in range(4)]  # fmt: skip
    path = walk.folder / "talks.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    import_rows("test", ImportRequest(project=walk.project, locator=f"jsonl:{path}", auto=True, force=True, commit=True))
    note = project_folder(walk.project) / "exports/export-1/README.md"
    write_atomic(note, f"{shared} ask the keeper about number 2".encode())
    ids = [row["row_id"] for row in RowFile(project_folder(walk.project) / "synthetic/synthetic.jsonl").rows()]
    call("test", ForgetRequest(row_id=ids[2]))
    assert note.read_text() == f"{shared} [forgotten]" and holding(home, "about number 2") == []


def test_a_chunk_goes_with_its_document_and_the_document_is_not_added_again(project, tmp_path, home):
    (tmp_path / "letters.txt").write_text("\n\n".join(letter(number) for number in range(1, 9)))
    call("test", AddRequest(project=project, paths=[str(tmp_path / "letters.txt")]))
    call("test", CleanRequest(project=project))
    chunk = orjson.loads((project_folder(project) / "cleaned/chunks.jsonl").read_bytes().splitlines()[0])
    with pytest.raises(RunFailed) as refused:
        call("test", ForgetRequest(row_id=chunk["row_id"]))
    assert "--equal" in refused.value.error.next_step
    call("test", ForgetRequest(row_id=chunk["row_id"], equal=True))
    sentence = chunk["text"].strip().splitlines()[0]
    assert holding(home, sentence) == []
    added = call("test", AddRequest(project=project, paths=[str(tmp_path / "letters.txt")])).result
    assert added["skipped"] == [{"name": "letters.txt", "reason": "forgotten"}] and holding(home, sentence) == []
    cleaned = call("test", CleanRequest(project=project)).result
    assert cleaned["ledger"]["rejected"] == {"forgotten": 1}
    with reading() as session:
        assert session.scalars(select(Document)).one().reason == "forgotten"


def test_a_run_that_reads_rows_now_has_to_end_first(walk):
    walk.imported()
    row = next(RowFile(project_folder(walk.project) / "synthetic/synthetic.jsonl").rows())["row_id"]
    run = walk.run("exp", "train.run", "running")
    with lock(execute.runs.run_lock_path(run)), pytest.raises(RunFailed) as refused:
        call("test", ForgetRequest(row_id=row))
    assert refused.value.error.reason.code == "run_conflict" and run in refused.value.error.next_step


def test_the_command_shows_what_will_change_and_asks_for_the_id(lived, home):
    row = lived.ids["train"][0]
    text = text_of(row)
    refused = CliRunner().invoke(app, ["row", "forget", row], input="no\n")
    assert refused.exit_code == 1 and "synthetic/synthetic.jsonl: 1 lines → emptied" in refused.output
    assert "trained on it: exp-1" in refused.output and "Weights can't forget" in refused.output
    assert holding(home, text) != []
    done = CliRunner().invoke(app, ["row", "forget", row], input=f"{row}\n")
    assert done.exit_code == 0, done.output
    assert "prepared/v1/manifest.json:" in done.output and holding(home, text) == []
    assert "forgotten " in CliRunner().invoke(app, ["row", "show", row]).output
    unknown = CliRunner().invoke(app, ["row", "forget", "r0000000000000000-9", "--yes", "--json"])
    assert json.loads(unknown.stdout)["code"] == "unknown_row"
