import orjson
import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.rowpassport import row_passport
from brewslm.pipeline.execute import call
from brewslm.rows import row_id
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder
from brewslm.store.tables import Evaluation, Source
from tests.readers.made import pdf
from tests.stages.clean.cleaning import letter
from tests.synthetic import reviews


def test_the_life_of_a_row_that_was_trained_on(walk):
    run = walk.imported()
    ids = walk.prepared()
    first, second = ids["train"][:2]
    experiment = walk.trained([[first, second], [second], [first]])
    walk.evaluated(experiment, dict.fromkeys(ids["eval"], True))
    found = row_passport(first)
    assert found.project == walk.project
    assert found.origin.locator.startswith("jsonl:") and found.origin.import_run == run
    assert found.origin.mapper == "label_to_classification"
    (fate,) = found.fates
    line = next(n for n, row in enumerate(reviews(60), 1) if row["text"] == fate.payload["text"])
    assert found.origin.line == reviews(60)[line - 1] and found.origin.field_map == {"text": "text", "label": "label"}
    assert found.origin.config_id == 1 and found.forgotten is None and found.gold_sets == found.shown_in == []
    assert found.origin.position == line and fate.task_profile == "classification" and fate.reason is None
    assert [(one.manifest_version, one.split) for one in found.splits] == [(1, "train")]
    assert [(one.experiment, one.steps) for one in found.trained] == [(experiment, [1, 3])]
    assert found.answers == []


def test_the_life_of_a_held_out_row(walk):
    walk.imported()
    ids = walk.prepared()
    experiment = walk.trained([ids["train"]])
    evaluation = walk.evaluated(experiment, {one: one != ids["eval"][0] for one in ids["eval"]})
    found = row_passport(ids["eval"][0])
    assert [one.split for one in found.splits] == ["eval"] and found.trained == []
    assert {(one.evaluation, one.experiment, one.model, one.output, one.expected, one.correct) for one in found.answers} == {
        (evaluation, experiment, model, "positive", "negative", False) for model in ("tuned", "base")
    }
    assert all(one.correct for one in row_passport(ids["eval"][1]).answers)


def test_a_row_that_was_shown_as_a_right_answer_and_drawn_into_a_gold_set(walk):
    walk.imported()
    ids = walk.prepared()
    experiment = walk.trained([ids["train"]])
    evaluation = walk.evaluated(experiment, dict.fromkeys(ids["eval"], True))
    with transaction() as session:
        session.get_one(Evaluation, evaluation).scorecard = {"systems": {"few_shot_base": {"shot_rows": [ids["train"][0]]}}}
    call("test", GoldDraftRequest(project=walk.project, name="support"))
    call("test", GoldImportRequest(project=walk.project, name="support"))
    assert row_passport(ids["train"][0]).shown_in == [evaluation]
    assert row_passport(ids["eval"][0]).gold_sets == ["support@1"]
    shown = CliRunner().invoke(app, ["row", "show", ids["train"][0]]).stdout
    assert f"shown       as a right answer in {evaluation}" in shown and "mapping     text=text  label=label" in shown


def test_a_dev_row_and_a_row_of_two_manifests(walk):
    walk.imported()
    ids = walk.prepared()
    assert [one.split for one in row_passport(ids["dev"][0]).splits] == ["dev"]
    first = ids["train"][0]
    walk.prepared()
    assert [one.manifest_version for one in row_passport(first).splits] == [1, 2]


def test_the_life_of_a_row_that_was_rejected(walk):
    run = walk.imported(60, broken=1)
    with reading() as session:
        source = session.query(Source).one()
    found = row_passport(row_id(source.content_hash, 61))
    assert [(one.run_id, one.reason, one.payload) for one in found.fates] == [(run, "invalid_json", None)]
    assert found.origin.position == 61 and found.origin.locator == source.locator and found.splits == []


def test_the_life_of_a_chunk(project, tmp_path):
    (tmp_path / "letters.pdf").write_bytes(
        pdf("The first page says little.", letter(1, 6), f"Write to ana@example.org.\n{letter(2)}")
    )
    call("test", AddRequest(project=project, paths=[str(tmp_path / "letters.pdf")]))
    call("test", CleanRequest(project=project))
    folder = project_folder(project)
    line = orjson.loads((folder / "cleaned/chunks.jsonl").read_bytes().splitlines()[-1])
    found = row_passport(line["row_id"])
    assert (found.origin.locator, found.origin.position) == ("letters.pdf", line["start"])
    assert found.fates[0].payload == {"text": line["text"]}
    chunk = found.chunk
    assert (chunk.name, chunk.page, chunk.findings) == ("letters.pdf", 3, {"email": 1})
    source = (folder / chunk.source_path).read_text()
    assert source[chunk.source_start : chunk.source_end].split()[-1] == line["text"].split()[-1]
    shown = CliRunner().invoke(app, ["row", "show", line["row_id"]]).stdout
    assert "letters.pdf" in shown and "page 3" in shown and "email 1" in shown and "ana@" not in shown


@pytest.mark.parametrize("unknown", ["r00000000000000000000", "", "../../etc/passwd"])
def test_an_unknown_row_is_refused(walk, unknown):
    walk.imported()
    with pytest.raises(StageError) as refused:
        row_passport(unknown)
    assert refused.value.reason.code == "unknown_row"
