"""brewslm.yaml held against a project: what applying it would do is told, done once, and read back as it was written."""

import json
from pathlib import Path

import orjson
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.pipeline.project_file.diff import file_diff
from brewslm.pipeline.project_file.exporting import exported
from brewslm.pipeline.project_file.plan import plan
from brewslm.pipeline.project_file.reading import Beside, load, within
from brewslm.pipeline.project_file.running import PipelineRequest, ask
from brewslm.pipeline.project_file.schema import as_value
from brewslm.pipeline.project_file.text import dump
from brewslm.store.database import reading
from brewslm.store.records import imports_of
from brewslm.store.tables import AuditEntry, Run
from tests.experiments import rows

HEAD = "contract_version: slm.project/v1\nproject: {name: mine}\n"
SOURCE = "sources:\n- {locator: jsonl:rows.jsonl, mapper: label_to_classification, field_map: {text: text, label: label}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the file and the rows stand."""
    made = tmp_path / "repository"
    made.mkdir()
    write_rows(made, 60)
    return made


def write_rows(folder: Path, count: int) -> None:
    (folder / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row["payload"]) + b"\n" for row in rows(count)))


def brewslm(*words, code: int | tuple[int, ...] = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code in (code if isinstance(code, tuple) else (code,)), done.stdout + done.stderr
    return done.stdout + done.stderr


def actions(steps) -> dict[str, str]:
    return {step.operation: step.action for step in steps}


def written() -> tuple[int, int]:
    """Runs and audit entries so far."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Run)), session.scalar(select(func.count()).select_from(AuditEntry))


def test_a_file_is_applied_once_and_read_back_as_it_was_written(folder, tiny_model):
    write_rows(folder, 120)
    text = HEAD + SOURCE + "prepare: {eval_rows: 30, dev_rows: 10}\nexport: {formats: [hf]}\nevaluate: {}\n"
    text += "train: {settings: {epochs: 1, batch_size: 8, learning_rate: 0.01, checkpoints: 1, precision: fp32}}\npreflight: {}\n"
    text += "deploy: [{create: {}, settings: {in_flight: 3}, schedule: {cron: '0 3 * * *'}}]\n"
    text = text.replace("name: mine", f"name: mine, base_model: 'path:{tiny_model}'")
    file = folder / "brewslm.yaml"
    file.write_text(dump(as_value(load(text, Beside(folder)))))
    assert "→  project.create mine" in brewslm("project", "apply", file, "--dry-run")
    assert written() == (0, 0)
    told = brewslm("project", "apply", file, code=(0, 3))  # a model this small need not meet its gates
    assert "apply-1: 9 of 10 parts were done" in told
    assert {task.operation: task.state for task in tasks(parent="apply-1")} == dict.fromkeys(
        ("ingest.run", "map.commit", "prepare.run", "preflight.run", "train.run", "evaluate.run", "export.run", "deploy.create",
         "deploy.settings", "deploy.schedule"), "succeeded",
    )  # fmt: skip

    said = brewslm("project", "export", "--project", 1, "--out", folder / "again.yaml")
    assert said == f"project 1 is written to {folder / 'again.yaml'}\n"
    again = (folder / "again.yaml").read_text()
    assert "jsonl:rows.jsonl" in again  # paths start from the file's folder
    assert load(again, Beside(folder)) == load(file.read_text(), Beside(folder))
    assert again.partition("\ncontract_version")[2] == dump(
        as_value(load(file.read_text(), Beside(folder))) | {"sources": [
            {"locator": "jsonl:rows.jsonl", "mapper": "label_to_classification", "field_map": {"text": "text", "label": "label"}}
        ]}
    ).partition("contract_version")[2]  # fmt: skip

    before = written()
    assert brewslm("project", "apply", file).splitlines()[-1] == "nothing to do"
    assert brewslm("pipeline", "run", file).splitlines()[-1] == "nothing to do"
    assert brewslm("pipeline", "run", "--project", 1).splitlines()[-1] == "nothing to do"
    assert "say the same" in brewslm("project", "diff", file, "--project", 1)
    assert written() == before

    other = load(file.read_text().replace("learning_rate: 0.01", "learning_rate: 0.02"), Beside(folder))
    found = file_diff(other, 1)
    assert [(one.where, one.project, one.file) for one in found.differences] == [("train.settings.learning_rate", 0.01, 0.02)]
    ran = [step.operation for step in found.steps if step.action == "run"]
    assert ran == ["preflight.run", "train.run", "evaluate.run", "export.run", "deploy.create"]
    assert (
        next(step.why for step in found.steps if step.operation == "train.run") == "since exp-1: recipe.learning_rate 0.01 → 0.02"
    )
    pack = load(file.read_text().replace("eval_pack: general", "eval_pack: fast"), Beside(folder))
    assert [step.operation for step in plan(1, pack) if step.action == "run"] == ["evaluate.run"]


def test_only_what_its_inputs_changed_is_done_again(folder, project):
    file = load(HEAD + SOURCE + "prepare: {eval_rows: 12}\n", Beside(folder))
    first = ask("ana", PipelineRequest(project=project, file=file))
    assert first.state == "succeeded" and actions(plan(project, file)) == {
        "map.commit": "up_to_date",
        "prepare.run": "up_to_date",
    }
    write_rows(folder, 80)
    assert [(step.operation, step.action) for step in plan(project, file)] == [("map.commit", "run"), ("prepare.run", "run")]
    assert plan(project, file)[0].why == "its content is not that of import-1"
    ask("ana", PipelineRequest(project=project, file=file))
    with reading() as session:
        live = [(one.run_id, one.accepted_count) for one in imports_of(session, project) if one.undone_by is None]
    assert live == [("import-1", 60), ("import-2", 20)]  # a file that grew adds what is new
    assert execute.look("prepare-2").state == "succeeded"
    other = file.model_copy(update={"prepare": file.prepare.model_copy(update={"eval_rows": 15})})
    assert [step.why for step in plan(project, other)] == ["20 rows", "since prepare-2: eval_rows 12 → 15"]
    (folder / "rows.jsonl").unlink()
    gone = plan(project, file)
    assert actions(gone) == {"map.commit": "up_to_date", "prepare.run": "up_to_date"} and "not there any more" in gone[0].why


def test_another_mapping_takes_the_place_of_the_former_one(folder, project):
    (folder / "rows.jsonl").write_bytes(
        b"".join(orjson.dumps({**row["payload"], "title": f"{row['payload']['text']} again"}) + b"\n" for row in rows(60))
    )
    ask("ana", PipelineRequest(project=project, file=load(HEAD + SOURCE + "prepare: {}\n", Beside(folder))))
    other = load(HEAD + SOURCE.replace("text: text", "text: title") + "prepare: {}\n", Beside(folder))
    steps = plan(project, other)
    assert [(step.operation, step.subject) for step in steps if step.action == "run"] == [
        ("import.undo", "import-1"), ("map.commit", f"jsonl:{folder}/rows.jsonl"), ("prepare.run", ""),
    ]  # fmt: skip
    assert steps[0].why == "it was mapped by label_to_classification label=label, text=text"
    ask("ana", PipelineRequest(project=project, file=other))
    assert all(step.action == "up_to_date" for step in plan(project, other))
    with reading() as session:
        assert [one.run_id for one in imports_of(session, project) if one.undone_by is None] == ["import-2"]


def test_it_stops_with_the_own_error_of_a_part_and_goes_on_there(folder, project):
    file = folder / "brewslm.yaml"
    file.write_text(HEAD + SOURCE + "prepare: {group_by: nobody}\n")
    (folder / "rows.jsonl").rename(folder / "elsewhere.jsonl")
    told = brewslm("pipeline", "run", file, "--project", project, code=1)
    assert "The pipeline stopped at map.commit: pipeline_stopped" in told and "rows.jsonl" in told
    problem = json.loads(brewslm("pipeline", "run", file, "--project", project, "--json", code=1))
    assert problem["task_id"] == "pipeline-1" and problem["payload"]["problem"] == "source_not_found"

    (folder / "elsewhere.jsonl").rename(folder / "rows.jsonl")
    problem = json.loads(brewslm("pipeline", "run", file, "--project", project, "--json", code=(1, 2)))
    assert (problem["task_id"], problem["payload"]["at"]) == ("pipeline-1", "prepare.run") and "nobody" in problem["detail"]
    parts = {task.operation: (task.task_id, task.state, task.attempt) for task in tasks(parent="pipeline-1")}
    assert parts["map.commit"] == ("import-1", "succeeded", 1)

    file.write_text(HEAD + SOURCE + "prepare: {}\n")  # other words: another run, which leaves what is done
    assert json.loads(brewslm("pipeline", "run", file, "--project", project, "--json"))["result"]["steps"][0]["run"] == "import-1"
    assert execute.look("pipeline-2").state == "succeeded" and execute.look("import-1").attempt == 1


def test_a_part_that_was_cut_off_is_gone_on_with_and_one_of_other_inputs_is_left(folder, project):
    request = PipelineRequest(project=project, file=load(HEAD + SOURCE + "prepare: {}\n", Beside(folder)))
    pilot = execute._open("ana", request, None, None, "running")
    left = execute._open(
        "ana", request.file.prepare.model_copy(update={"project": project}), f"{pilot}:prepare.run:0", pilot, "running"
    )
    assert execute.look(pilot).state == "interrupted"
    done = ask("ana", request)
    assert (done.task_id, done.state) == (pilot, "succeeded")
    assert execute.look(left).state == "cancelled"
    with pytest.raises(StageError) as refused:
        execute.queue("ana", request.model_copy(update={"to_stage": "prepare"}))
        ask("ana", request.model_copy(update={"to_stage": "prepare"}))
    assert "the same is queued" in refused.value.cause


def test_from_and_to_bound_what_is_run(folder, project):
    file = folder / "brewslm.yaml"
    file.write_text(HEAD + SOURCE + "prepare: {}\ntrain: {}\n")
    here = ("pipeline", "run", file, "--project", project, "--dry-run", "--json")

    def planned(*words) -> list[str]:
        return [step["operation"] for step in json.loads(brewslm(*here, *words))["steps"]]

    assert planned() == ["map.commit", "prepare.run", "train.run"]
    assert planned("--to", "prepare") == ["map.commit", "prepare.run"]
    assert "did you mean prepare?" in brewslm(*here[:-1], "--to", "prepar", code=2)
    assert "map_commit comes before prepare" in brewslm(*here[:-1], "--from", "prepare", "--to", "map_commit", code=2)
    blocked = json.loads(brewslm(*here, "--from", "prepare", code=1))["steps"]
    assert [(step["operation"], step["action"]) for step in blocked] == [("prepare.run", "blocked"), ("train.run", "blocked")]
    assert written()[0] == 1  # that of the project


def test_documents_and_their_cleaning_are_part_of_a_project(folder, project):
    said = "The kettle is filled up to the mark, and no further. It boils in three minutes, and then it switches itself off. "
    (folder / "manual.txt").write_text(said * 3)
    text = HEAD + "documents: {paths: [manual.txt]}\nclean: {pii: block}\n"
    file = load(text, Beside(folder))
    assert actions(plan(project, file)) == {"documents.add": "run", "clean.run": "run"}
    ask("ana", PipelineRequest(project=project, file=file))
    assert all(step.action == "up_to_date" for step in plan(project, file))
    assert exported(project).clean.pii == "block" and exported(project).documents.paths == [f"{folder}/manual.txt"]
    other = load(text.replace("block", "redact"), Beside(folder))
    assert next(step.why for step in plan(project, other) if step.action == "run") == "since clean-1: pii block → redact"


def test_a_secret_of_an_address_is_not_written_down(project):
    address = "url:https://ana:pw@a.org/rows.jsonl?token=abc"
    shown = within({"sources": [{"locator": address}], "documents": {"paths": [address]}}, Path("/"))
    assert shown["sources"][0]["locator"] == shown["documents"]["paths"][0] == "url:https://…@a.org/rows.jsonl?token=…"
    file = load(HEAD + SOURCE.replace("jsonl:rows.jsonl", f"'{shown['sources'][0]['locator']}'"), Beside(Path("/")))
    [step] = plan(project, file)
    assert step.action == "blocked" and "may be secret" in step.why
