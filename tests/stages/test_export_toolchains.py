"""The formats that a toolchain makes and runs: refused beforehand where it is missing, and told where it fails.

The real runs, of vLLM and of the quantisers, are slow: they install both toolchains where they are not there yet.
"""

import hashlib
import os
import socket

import pytest

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.formats import BY_NAME, DEFAULT_FORMATS
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.templates import end_token_id, example_ids
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import DirectContext
from brewslm.processes.guard import Guarded
from brewslm.processes.toolchains import environment, install, toolchain
from brewslm.processes.vllm import VllmServer, serve_vllm
from brewslm.rows.manifest import OutputSchema, PreparedData
from brewslm.stages import export
from brewslm.stages.export import ExportRequest, compare, quantised, vllm
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.makers import write_merged
from brewslm.stages.export.making import Making
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.stages.preflight.machine import check_toolchains
from brewslm.store.files import project_folder, read_json, sha256
from tests.experiments import export_job, make_experiment, rows, train_adapter
from tests.processes.test_toolchains import define, definitions, made  # noqa: F401 - a fixture
from tests.tiny import make_tiny_model

BOTH = ("llmcompressor", "vllm")


@pytest.fixture(scope="session")
def wide_model(tmp_path_factory):
    """A tiny model whose attention heads vLLM knows: 32 wide."""
    return make_tiny_model(tmp_path_factory.mktemp("wide") / "model", hidden=128)


@pytest.fixture(scope="session")
def wide_adapter(wide_model, tmp_path_factory):
    return train_adapter(wide_model, tmp_path_factory.mktemp("wide-adapter") / "adapter")


@pytest.fixture
def without(definitions):
    """No toolchain is installed; both that exports need are known."""
    lock = (definitions / "toolchains" / "tiny.lock").read_text()
    for name in BOTH:
        define(definitions, lock, name=name)
    return definitions


@pytest.fixture
def trained(project, wide_model, tmp_path):
    """An experiment whose adapter nobody will look at."""
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    return make_experiment(project, wide_model, tmp_path / "adapter")


@pytest.mark.usefixtures("without")
def test_an_export_whose_toolchains_are_missing_is_refused_with_the_commands_before_anything_is_made(trained):
    with pytest.raises(RunFailed) as refused:
        call("test", ExportRequest(experiment=trained.id, formats=("hf", "awq", "vllm")))
    error = refused.value.error
    assert (error.reason.code, error.what) == ("toolchain_missing", "vllm, awq can't be made on this machine")
    assert error.next_step == "Run brewslm toolchain install vllm && brewslm toolchain install llmcompressor."
    assert not (project_folder(trained.project) / "exports").exists()


@pytest.mark.usefixtures("without")
def test_preflight_finds_each_toolchain_that_is_missing_and_none_that_is_there(tmp_path):
    first, second = check_toolchains(("hf", "gptq", "vllm"))
    assert {first.code, second.code} == {"export_toolchain_missing"} and first.severity == "blocker"
    assert (first.measured, first.limit) == ("toolchain llmcompressor is not installed", "needed for gptq")
    assert second.limit == "needed for gptq, vllm" and second.next_step == "Run brewslm toolchain install vllm."
    assert not list(check_toolchains(DEFAULT_FORMATS))
    made(toolchain("vllm"), tmp_path)
    assert not list(check_toolchains(("vllm",))) and len(list(check_toolchains(("gptq",)))) == 1


def other_rows():
    """Lines of a train split that has no row of eval; some are its dev slice."""
    made = []
    for row in rows(24):
        text = row["payload"]["text"] + " then"
        made.append({"row_id": hashlib.sha256(text.encode()).hexdigest()[:16], "payload": row["payload"] | {"text": text}})
    return [row | ({"slice": "dev"} if place % 6 == 0 else {}) for place, row in enumerate(made)]


@pytest.fixture
def making(wide_model, wide_adapter, tmp_path):
    """An export that has its merged model, and rows of which none is in two splits."""
    job = export_job(wide_model, wide_adapter, tmp_path, other_rows())
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    tokenizer = load_tokenizer(wide_model)
    model = load_model(wide_model, wide_adapter, "fp32", merge=False)
    smoke = SmokeCheck.asked(job, data, model, tokenizer)
    bundle = tmp_path / "bundle"
    for name in ("hf", "vllm", "awq", "gptq"):
        (bundle / name).mkdir(parents=True)
    end = end_token_id(tokenizer)
    write_merged(model, tokenizer, bundle / "hf", end)
    return Making(job, bundle, data, DirectContext(tmp_path / "run"), tokenizer, end, smoke)


def test_a_quantiser_is_calibrated_on_training_rows_and_on_no_other(making):
    chosen = quantised.calibration_rows(making.data)
    ids = {row.row_id for row in chosen}
    assert ids == {row.row_id for row in making.data.train()} and len(ids) == 20
    assert not ids & {row.row_id for row in [*making.data.eval(), *making.data.dev()]}
    request = quantised.request(making, BY_NAME["awq"], 128, chosen)
    handler = handler_for("classification", making.data.manifest.output_schema)
    tokens = {
        name: [example_ids(making.tokenizer, handler.prompt(row.payload), handler.completion(row.payload))[0] for row in split]
        for name, split in (("train", making.data.train()), ("dev", making.data.dev()), ("eval", making.data.eval()))
    }
    assert request["rows"] == tokens["train"]
    assert not [one for one in request["rows"] if one in tokens["dev"] or one in tokens["eval"]]


def test_of_many_rows_those_are_taken_that_are_spread_over_the_split(making, monkeypatch):
    monkeypatch.setattr(quantised, "SAMPLES", 5)
    train = making.data.train()
    assert quantised.calibration_rows(making.data) == train[::4]


@pytest.mark.usefixtures("without")
def test_a_quantiser_that_fails_is_told_with_its_last_words_and_leaves_no_rows_behind(making, tmp_path):
    """Its environment has nothing of what the program imports."""
    made(toolchain("llmcompressor"), tmp_path)
    making.context.folder.mkdir()
    with pytest.raises(StageError) as error:
        quantised.make_quantised(making, BY_NAME["gptq"])
    assert (error.value.reason.code, error.value.reason.format) == ("export_quantization_failed", "gptq")
    assert "No module named 'torch'" in error.value.cause and error.value.where.endswith("gptq-quantise.log")
    assert [file.name for file in making.context.folder.iterdir()] == ["gptq-quantise.log"]


@pytest.mark.usefixtures("without")
def test_a_vllm_that_can_not_run_the_bundle_is_told_with_its_last_words(making, tmp_path):
    made(toolchain("vllm"), tmp_path)
    with pytest.raises(StageError) as error:
        vllm.make_vllm(making, BY_NAME["vllm"])
    assert (error.value.reason.code, error.value.reason.format) == ("export_run_failed", "vllm")
    assert "No module named 'vllm'" in error.value.cause


@pytest.mark.usefixtures("without")
def test_the_bundle_has_what_vllm_needs_and_names_nothing_of_this_machine(making, tmp_path):
    made(toolchain("vllm"), tmp_path)
    with pytest.raises(StageError):
        vllm.make_vllm(making, BY_NAME["vllm"])
    folder = making.folder / "vllm"
    assert {file.name for file in folder.iterdir()} >= {
        "model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja", "generation_config.json", "serve.sh",
        "serve-lora.sh", "README.md", "adapter",
    }  # fmt: skip
    assert (folder / "model.safetensors").samefile(making.folder / "hf" / "model.safetensors")
    assert read_json(folder / "tokenizer_config.json")["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert read_json(folder / "generation_config.json")["eos_token_id"] == making.end
    for name in ("serve.sh", "serve-lora.sh", "README.md"):
        assert str(tmp_path) not in (folder / name).read_text()
    assert "--model . " in (folder / "serve.sh").read_text() and os.access(folder / "serve.sh", os.X_OK)
    assert (
        "--lora-modules" in (folder / "serve-lora.sh").read_text()
        and "--max-lora-rank 16" in (folder / "serve-lora.sh").read_text()
    )


@pytest.mark.usefixtures("without")
def test_a_comparison_leaves_out_what_it_can_not_run_and_says_with_what_it_could(wide_model, tmp_path):
    made_of = {"quantization": None, "weights": "w", "size_bytes": 1, "sha256": "", "agreement": 1.0}
    artifacts = [Artifact(format=name, path=name, **made_of) for name in ("hf", "vllm", "awq")]
    job = compare.CompareJob(
        export_id="export-1", experiment_id="exp-1", bundle=tmp_path, artifacts=artifacts, parameters=1, manifest_path=tmp_path,
        manifest_sha256="", rows=None,
    )  # fmt: skip
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=["negative", "positive"]))
    runnable, skipped = compare._runnable(job, handler)
    assert [one.format for one in runnable] == ["hf"] and set(skipped) == {"vllm", "awq"}
    assert skipped["awq"] == "toolchain vllm is not installed: brewslm toolchain install vllm"
    made(toolchain("vllm"), tmp_path)
    assert len(compare._runnable(job, handler)[0]) == 3


@pytest.fixture(scope="session")
def real_toolchains(tmp_path_factory):
    """Both toolchains, installed where they are not yet."""
    log = tmp_path_factory.mktemp("install") / "log.txt"
    for name in BOTH:
        install(toolchain(name), log, lambda at, what: None)


@pytest.mark.slow
@pytest.mark.usefixtures("real_toolchains")
def test_vllm_awq_and_gptq_are_made_and_vllm_itself_says_what_the_trained_model_says(wide_model, wide_adapter, tmp_path):
    job = export_job(wide_model, wide_adapter, tmp_path, other_rows())
    job = job.model_copy(update={"formats": ("hf", "vllm", "awq", "gptq")})
    train = {row.row_id for row in PreparedData(job.manifest_path, job.manifest_sha256).train()}
    context = DirectContext(tmp_path / "run")
    context.folder.mkdir()
    result = export.run(job, context)
    found = {artifact.format: artifact for artifact in result.artifacts}
    least = job.policy.agreement
    for name in ("vllm", "awq", "gptq"):
        print(name, found[name].agreement, found[name].size_bytes, found[name].tensor_types)
        assert found[name].agreement >= least[name]
        assert sha256(job.output / found[name].weights) == found[name].sha256
    for name in ("awq", "gptq"):
        record = read_json(job.output / name / "quantization.json")
        assert set(record["calibration"]["row_ids"]) == train and record["group_size"] == 128
        assert found[name].tensor_types == {"BF16": 6, "INT4": 14}
        assert found[name].size_bytes < found["hf"].size_bytes
    trace = read_json(job.output / "smoke-trace.json")
    assert all(one["stopped"] for name in ("vllm", "awq", "gptq") for one in trace["agreement"][name]["answers"])
    _serves_from_its_own_scripts(job, tmp_path)


def _serves_from_its_own_scripts(job, tmp_path):
    """As a person would start it: the launch line of the bundle, and that of its adapter beside the base."""
    one = toolchain("vllm")
    trace = read_json(job.output / "smoke-trace.json")
    for script, more in (("serve.sh", []), ("serve-lora.sh", [str(job.base.folder)])):
        port = _free_port()
        command = ["sh", str(job.output / "vllm" / script), *more, "--host", "127.0.0.1", "--port", str(port)]
        variables = environment(one, {"PYTHON": str(one.python)})
        name = f"{job.base.name}-{job.experiment_id}"
        server = VllmServer(Guarded(command, variables, tmp_path / f"{script}.log"), name, port)
        try:
            server.wait_ready(900)
            model = vllm.VllmModel(server.base_url, name)
            said = [model.answer(asked["prompt_ids"], 20)[0] for asked in trace["prompts"][:4]]
            assert said == [asked["answer"] for asked in trace["prompts"][:4]]
        finally:
            server.stop()


def _free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@pytest.mark.slow
@pytest.mark.usefixtures("real_toolchains")
def test_a_vllm_server_is_gone_with_all_its_processes_once_it_is_stopped(wide_model, tmp_path):
    import psutil

    server = serve_vllm(wide_model, tmp_path / "vllm.log", name="m")
    group = server.pid
    try:
        server.wait_ready(900)
        members = [one for one in psutil.process_iter() if _group_of(one.pid) == group]
        assert len(members) >= 3  # the guard, the server, its engine
    finally:
        server.stop()
    _, alive = psutil.wait_procs(members, timeout=5)
    assert not alive and not server.alive()


def _group_of(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
