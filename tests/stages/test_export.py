"""Stage 10 on a really tuned tiny model: what a bundle holds, and each way an export can fail."""

import json
import shutil
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.models.formats import DEFAULT_FORMATS
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.pipeline import runs
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import DirectContext
from brewslm.rows.manifest import PreparedData
from brewslm.stages import export
from brewslm.stages.export import ExportRequest
from brewslm.stages.export.makers import write_merged, write_quantised
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, read_json, sha256
from brewslm.store.tables import Export, Run, RunEvent
from tests.experiments import export_job, make_experiment, rows

pytestmark = pytest.mark.usefixtures("warm_children")


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter)


@pytest.fixture
def job(tiny_model, tiny_adapter, tmp_path):
    return export_job(tiny_model, shutil.copytree(tiny_adapter, tmp_path / "adapter"), tmp_path)


@pytest.fixture
def smoke(job, tiny_model, tiny_adapter):
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    model = load_model(tiny_model, tiny_adapter, "fp32", merge=False)
    return SmokeCheck.asked(job, data, model, load_tokenizer(tiny_model))


def failed(request):
    """The event of a run that failed, and its exit code."""
    with pytest.raises(RunFailed) as end:
        call("test", request)
    with reading() as session:
        event = session.scalars(select(RunEvent).order_by(RunEvent.id.desc())).first()
    return event, end.value.error


def test_an_export_from_request_to_events(trained):
    done = call("test", ExportRequest(experiment=trained.id, formats=("gguf-q8_0", "hf")))
    folder = project_folder(trained.project)
    bundle = folder / done.result["path"]
    assert sorted(path.name for path in bundle.iterdir()) == [
        "README.md", "generation_config.json", "gguf-q8_0", "hf", "manifest.json", "smoke-trace.json", "tokenizer",
    ]  # fmt: skip
    with reading() as session:
        kept = session.scalars(select(Export)).one()
        events = [event for event in session.scalars(select(RunEvent)) if event.stage == "export"]
        payloads = [read(event) for event in events]
    assert list(kept.artifacts) == ["hf", "gguf-q8_0"] and kept.manifest_sha256 == sha256(bundle / "manifest.json")
    assert [(event.reason_code, event.severity, event.parent_run_id) for event in events] == [
        ("export_completed", "info", trained.id)
    ] * 2
    assert [payload["format"] for payload in payloads] == ["hf", "gguf-q8_0"]
    quantised = folder / payloads[1]["output_path"]
    assert (quantised.stat().st_size, sha256(quantised)) == (payloads[1]["file_size_bytes"], payloads[1]["sha256"])


def read(event):
    import orjson

    return orjson.loads(event.payload)


def test_the_bundle_manifest_says_from_what_it_was_made_and_what_is_in_it(tiny_bundle, tiny_model):
    manifest = read_json(tiny_bundle / "manifest.json")
    assert manifest["base_model"]["locator"] == f"path:{tiny_model}" and len(manifest["base_model"]["sha256"]) == 64
    assert manifest["prompt_format"]["task_profile"] == "classification"
    assert manifest["prompt_format"]["output_schema"]["labels"] == ["negative", "positive"]
    assert [artifact["format"] for artifact in manifest["artifacts"]] == list(DEFAULT_FORMATS)
    for artifact in manifest["artifacts"]:
        assert sha256(tiny_bundle / artifact["weights"]) == artifact["sha256"]
    by_format = {artifact["format"]: artifact for artifact in manifest["artifacts"]}
    assert by_format["hf"]["agreement"] == by_format["gguf-f16"]["agreement"] == 1.0
    assert by_format["gguf-q4_k_m"]["tensor_types"].keys() == {"F32", "Q5_0", "Q8_0"}


def test_the_smoke_trace_holds_held_out_rows_and_what_was_said_to_them(tiny_bundle):
    trace = read_json(tiny_bundle / "smoke-trace.json")
    assert len(trace["prompts"]) == 20 and {one["row_id"] for one in trace["prompts"]} <= {row["row_id"] for row in rows()}
    asked = {row["row_id"]: row["payload"] for row in rows()}
    for one in trace["prompts"]:
        assert one["messages"][-1]["content"] == asked[one["row_id"]]["text"]
        assert one["answer"] == asked[one["row_id"]]["label"] and one["stopped"]
    assert set(trace["agreement"]) == {"merged", "gguf-f16", "gguf-q8_0", "gguf-q4_k_m"}
    assert [answer["stopped"] for answer in trace["agreement"]["gguf-q4_k_m"]["answers"]] == [True] * 8


def test_the_hf_folder_loads_as_any_causal_model_and_stops(tiny_bundle):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = (kind.from_pretrained(tiny_bundle / "hf") for kind in (AutoModelForCausalLM, AutoTokenizer))
    assert read_json(tiny_bundle / "hf" / "tokenizer_config.json")["tokenizer_class"] == "PreTrainedTokenizerFast"
    one = read_json(tiny_bundle / "smoke-trace.json")["prompts"][0]
    ids = tokenizer.apply_chat_template(one["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True)
    out = model.generate(**ids, max_new_tokens=20)[0, ids["input_ids"].shape[1] :]
    assert tokenizer.decode(out, skip_special_tokens=True) == one["answer"]


def test_an_unknown_format_is_refused_with_a_suggestion(trained):
    with pytest.raises(RunFailed) as refused:
        call("test", ExportRequest(experiment=trained.id, formats=("gguf-q8",)))
    assert (refused.value.error.reason.code, refused.value.error.reason.exit_code) == ("invalid_request", 2)
    assert "did you mean gguf-q8_0?" in str(refused.value.error)


def test_an_unknown_experiment_is_refused_before_a_run_is_opened():
    with pytest.raises(StageError, match="unknown_run"):
        call("test", ExportRequest(experiment="exp-9"))


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_training_that_has_not_ended_well_is_refused_before_a_run_is_opened(project, state):
    with transaction() as session:
        training = runs.create(
            session, kind="exp", operation="train.run", project_id=project, actor="test", request={}, parent=None,
            idempotency_key=None,
        )  # fmt: skip
        training.state = state
    with pytest.raises(StageError, match=f"its state is {state}") as refused:
        call("test", ExportRequest(experiment="exp-1"))
    assert refused.value.reason.code == "not_trained"
    with reading() as session:
        assert session.scalars(select(Run.id).where(Run.operation == "export.run")).all() == []


def test_a_deleted_adapter_is_an_artifact_missing(trained):
    (trained.adapter / "adapter_model.safetensors").unlink()
    event, _ = failed(ExportRequest(experiment=trained.id))
    assert (event.reason_code, event.severity) == ("export_artifact_missing", "error")
    assert read(event)["error"] == "the adapter is missing"
    assert not (project_folder(trained.project) / "exports" / "export-1").exists()


def test_another_adapter_in_its_place_is_an_artifact_missing(job):
    with (job.adapter / "adapter_model.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(StageError) as error:
        export.run(job, DirectContext(job.project_folder))
    assert error.value.reason.code == "export_artifact_missing" and "SHA-256" in error.value.cause


def test_a_crash_is_an_export_run_failed_and_leaves_no_half_bundle(trained):
    (project_folder(trained.project) / "exports").write_text("a file where the folder should be")
    event, _ = failed(ExportRequest(experiment=trained.id, formats=("hf",)))
    assert event.reason_code == "export_run_failed"
    said = read(event)
    assert said | {"error": "", "signature": ""} == {"experiment_id": trained.id, "format": "hf", "error": "", "signature": ""}


def test_damaged_merged_weights_fail_the_check_and_say_how_much(smoke, tiny_model, tiny_adapter, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    tokenizer = load_tokenizer(tiny_model)
    write_merged(load_model(tiny_model, tiny_adapter, "fp32", merge=False), tokenizer, tmp_path / "hf", 2)
    smoke.check_merged(tmp_path / "hf")
    weights = load_file(tmp_path / "hf" / "model.safetensors")
    weights["model.layers.1.mlp.down_proj.weight"] = torch.flip(weights["model.layers.1.mlp.down_proj.weight"], [0])
    save_file(weights, tmp_path / "hf" / "model.safetensors", {"format": "pt"})
    with pytest.raises(StageError) as error:
        smoke.check_merged(tmp_path / "hf")
    assert error.value.reason.code == "export_run_failed"
    assert "tokens differ" in error.value.cause and "100% is needed" in error.value.cause


def test_a_gguf_of_another_model_fails_the_check(smoke, tiny_model, tmp_path):
    from brewslm.models.gguf_writer import write_gguf

    write_gguf(tiny_model, tmp_path / "base.gguf", name="the base", end_token=2)
    with pytest.raises(StageError) as error:
        smoke.check_gguf(tmp_path / "base.gguf", "gguf-f16")
    assert (error.value.reason.code, error.value.reason.format) == ("export_run_failed", "gguf-f16")


def test_a_merge_that_changed_nothing_fails_as_the_untrained_base(smoke, tiny_model, tmp_path):
    """The base's own weights, written where the merged ones should be: a merge that lost the adapter."""
    write_merged(load_model(tiny_model, precision="fp32"), load_tokenizer(tiny_model), tmp_path / "hf", 2)
    with pytest.raises(StageError, match="as the untrained base does") as error:
        smoke.check_merged(tmp_path / "hf")
    assert error.value.reason.code == "export_run_failed" and "from the untrained base" in error.value.cause


def test_an_adapter_that_learned_nothing_is_told_before_anything_is_written(job, tiny_model, tmp_path):
    from peft import LoraConfig, get_peft_model

    untouched = get_peft_model(load_model(tiny_model, precision="fp32"), LoraConfig(target_modules="all-linear"))
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    with pytest.raises(StageError, match="changed nothing") as error:
        SmokeCheck.asked(job, data, untouched, load_tokenizer(tiny_model))
    assert error.value.reason.code == "export_run_failed"


def test_weights_that_do_not_end_their_answers_fail_the_check(smoke, tiny_bundle, tmp_path):
    """Their generation config names another end mark: the words are right, and never end."""
    from brewslm.store.files import write_json

    folder = shutil.copytree(tiny_bundle / "hf", tmp_path / "hf")
    smoke.check_merged(folder)
    assert smoke.stopped("hf") == (8, 8)
    config = read_json(folder / "generation_config.json")
    write_json(folder / "generation_config.json", config | {"eos_token_id": 0, "suppress_tokens": [2]})
    with pytest.raises(StageError) as error:
        smoke.check_merged(folder)
    assert error.value.reason.code == "export_run_failed" and "it ends 0 of 8 answers" in error.value.cause


def test_quantisation_noise_larger_than_the_training_is_not_taken_for_the_base():
    from brewslm.models.agreement import Agreement
    from brewslm.stages.export.smoke import nearer_to_base

    def found(kl, kl_base):
        return Agreement(tokens=1, top1=1.0, greedy=1.0, flips=[], kl=kl, kl_base=kl_base)

    assert nearer_to_base(found(0.4, 0.0), changed=0.4) and nearer_to_base(found(0.5, 0.1), changed=0.4)
    assert not nearer_to_base(found(0.0, 0.4), changed=0.4)
    assert not nearer_to_base(found(0.051, 0.05), changed=0.001)  # of so little training neither can be told


def test_a_gguf_that_tokenises_otherwise_fails_the_check(smoke, tiny_bundle, tmp_path):
    """Most of its merges are lost, so that the same text has more tokens."""
    from brewslm.models.gguf_writer import write_gguf
    from brewslm.store.files import write_json

    folder = shutil.copytree(tiny_bundle / "hf", tmp_path / "hf")
    tokenizer = read_json(folder / "tokenizer.json")
    tokenizer["model"]["merges"] = tokenizer["model"]["merges"][:5]
    write_json(folder / "tokenizer.json", tokenizer)
    write_gguf(folder, tmp_path / "other.gguf", name="other", end_token=2)
    with pytest.raises(StageError, match="does not say") as error:
        smoke.check_gguf(tmp_path / "other.gguf", "gguf-f16")
    assert "tokenises" in error.value.cause


def test_a_truncated_f16_file_is_a_quantization_failure(tiny_bundle, tmp_path):
    whole = next((tiny_bundle / "gguf-f16").glob("*.gguf"))
    (tmp_path / "cut.gguf").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(StageError) as error:
        write_quantised(tmp_path / "cut.gguf", tmp_path / "small.gguf", "gguf-q8_0", "exp-1")
    assert (error.value.reason.code, error.value.reason.format) == ("export_quantization_failed", "gguf-q8_0")


def test_a_killed_export_goes_on_with_the_artifacts_that_are_whole(job):
    """The process is killed while it writes the Q8_0 file; the next attempt makes that anew, and nothing before it."""
    partial = job.output.parent / ".export-1.partial"
    formats = ("hf", "gguf-f16", "gguf-q8_0")
    wanted = job.model_copy(update={"formats": formats})
    killed = subprocess.run(
        [sys.executable, "-m", "tests.stages.killed_export", "gguf-q8_0"], input=wanted.model_dump_json(), text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert not job.output.exists() and (partial / "gguf-q8_0" / "model-q8_0.gguf").exists()
    assert sorted(one.stem for one in (partial / "records").iterdir()) == ["gguf-f16", "hf"]
    before = {name: (partial / name).stat().st_ino for name in ("hf", "gguf-f16", "gguf-q8_0")}
    result = export.run(wanted, DirectContext(job.project_folder))
    after = {name: (job.output / name).stat().st_ino for name in before}
    assert after["hf"] == before["hf"] and after["gguf-f16"] == before["gguf-f16"]
    assert [one.format for one in result.artifacts] == list(formats) and all(one.agreement for one in result.artifacts)
    assert [path.name for path in job.output.parent.iterdir()] == ["export-1"]
    assert not {"records", "said"} & {path.name for path in job.output.iterdir()}


def test_an_artifact_that_was_changed_after_the_kill_is_made_anew(job):
    wanted = job.model_copy(update={"formats": ("hf", "safetensors-merged")})
    killed = subprocess.run(
        [sys.executable, "-m", "tests.stages.killed_export", "safetensors-merged"], input=wanted.model_dump_json(), text=True,
        check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    config = job.output.parent / ".export-1.partial" / "hf" / "config.json"
    config.write_text("{}")
    export.run(wanted, DirectContext(job.project_folder))
    assert read_json(job.output / "hf" / "config.json")["architectures"] == ["LlamaForCausalLM"]


@pytest.mark.parametrize("room", ["700k", *(pytest.param(room, marks=pytest.mark.slow) for room in ("100k", "1200k"))])
def test_a_disk_that_is_full_is_told_and_nothing_is_left_there(job, room):
    """On a real file system that holds nothing, or not the merged weights, or not all of the files made of them."""
    wanted = job.model_copy(update={"formats": ("hf", "gguf-f16", "gguf-q8_0", "gguf-q6_k", "gguf-q4_0")})
    command = [sys.executable, "-m", "tests.stages.full_disk_export", room]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *command], input=wanted.model_dump_json(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["problem"]["code"] == "disk_full" and "are needed while it is made" in found["problem"]["detail"]
    assert found["left"] == []


def test_a_bundle_says_what_it_is_whose_and_for_whom(tiny_bundle, tiny_model):
    card = (tiny_bundle / "README.md").read_text()
    manifest = read_json(tiny_bundle / "manifest.json")
    for said in ("tuned for classification", manifest["base_model"]["sha256"], "not evaluated before this export", "gguf-q4_k_m"):
        assert said in card
    asked = {row["payload"]["text"] for row in rows()}
    assert not any(text in card for text in asked), "a model card goes farther than the rows may"
    files = manifest["files"]
    assert {"README.md", "smoke-trace.json", "generation_config.json", "gguf-q8_0/Modelfile", "gguf-q8_0/tensors.json"} <= set(
        files
    )
    for path, digest in files.items():
        assert sha256(tiny_bundle / path) == digest
    assert manifest["merged_sha256"] == sha256(tiny_bundle / "hf" / "model.safetensors")


def test_what_each_tensor_became_is_written_down(tiny_bundle):
    table = read_json(tiny_bundle / "gguf-q4_k_m" / "tensors.json")
    assert table["blk.0.attn_norm.weight"]["type"] == "F32" and table["blk.1.ffn_up.weight"]["type"] == "Q5_0"
    counted = {kind: sum(one["type"] == kind for one in table.values()) for kind in {one["type"] for one in table.values()}}
    artifact = next(one for one in read_json(tiny_bundle / "manifest.json")["artifacts"] if one["format"] == "gguf-q4_k_m")
    assert counted == artifact["tensor_types"]


def test_rows_of_the_eval_split_calibrate_nothing(tiny_bundle):
    """Here both splits have the same rows: so nothing is left to calibrate on, and it is said."""
    assert read_json(tiny_bundle / "importance.json")["rows"] == []
    artifact = next(one for one in read_json(tiny_bundle / "manifest.json")["artifacts"] if one["format"] == "gguf-q4_k_m")
    assert artifact["importance"] == {"used": False, "why": "there are too few training rows"}
