"""Each family of models trains, and answers, as it does in the plain library."""

import pytest
import torch

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.packed_attention import attend_within_rows
from brewslm.models.packing import Example, pack, shared_prefix
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt
from brewslm.models.templates import example_ids
from brewslm.rows.manifest import OutputSchema, PreparedRow
from tests.experiments import LABELS, export_job, write_prepared
from tests.experiments import rows as reviews
from tests.families import FAMILIES, make_family


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def folder(request, tmp_path_factory):
    return make_family(tmp_path_factory.mktemp(request.param.name), request.param)


def examples(folder) -> list[Example]:
    """Rows of several lengths behind one instruction."""
    tokenizer = load_tokenizer(folder)
    made = []
    for place, (text, answer) in enumerate(
        [("dull", "bad"), ("a slow lovely film", "good"), ("the plot was great", "very good")]
    ):
        messages = ({"role": "system", "content": "positive or negative"}, {"role": "user", "content": text})
        ids, asked = example_ids(tokenizer, Prompt(messages, plain=""), answer)
        made.append(Example(f"r{place}", ids, asked))
    return made


def plain_loss(model, row: Example):
    """The library's own loss of one row, summed over what is supervised."""
    labels = torch.tensor([[-100] * row.prompt_length + row.ids[row.prompt_length :]])
    return model(input_ids=torch.tensor([row.ids]), labels=labels).loss * row.supervised


@pytest.mark.parametrize("budget", [1, 10_000])
@pytest.mark.parametrize("with_prefix", [False, True])
def test_the_packed_loss_and_its_gradients_are_those_of_the_plain_model(folder, budget, with_prefix):
    from brewslm.stages.train.loss import pack_loss

    plain, packing = (load_model(folder, precision="fp32").train() for _ in range(2))
    attend_within_rows(packing)
    rows = examples(folder)
    wanted = sum(plain_loss(plain, row) for row in rows)
    found = sum(
        pack_loss(packing, packed, packing.lm_head.weight.detach())
        for packed in pack(rows, shared_prefix(rows) if with_prefix else [], budget)
    )
    assert torch.allclose(found, wanted, rtol=1e-5), (found.item(), wanted.item())
    layers = [dict(model.model.layers.named_parameters()) for model in (plain, packing)]
    expected = torch.autograd.grad(wanted, list(layers[0].values()))
    got = torch.autograd.grad(found, list(layers[1].values()))
    for name, one, other in zip(layers[0], expected, got, strict=True):
        assert torch.allclose(other, one, rtol=1e-3, atol=1e-5 * float(one.abs().max())), name


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """An adapter that the product's own trainer made on 24 reviews."""
    from brewslm.models.catalogue import base_model
    from brewslm.models.recipe import recipe_named
    from brewslm.processes.context import DirectContext
    from brewslm.stages.train.job import TrainJob
    from brewslm.stages.train.run import run as train
    from brewslm.store.files import sha256

    work = tmp_path_factory.mktemp("trained")
    manifest = write_prepared(1, work / "prepared" / "v1", folder)
    settings = {"epochs": "60", "batch_size": "24", "learning_rate": "0.005", "lora_alpha": "64", "checkpoints": "1"}
    job = TrainJob(
        experiment_id="exp-1", project=1, base=base_model(f"path:{folder}"), manifest_id=1, manifest_path=manifest,
        manifest_sha256=sha256(manifest), recipe=recipe_named("classification", settings), output=work / "exp-1",
    )  # fmt: skip
    assert train(job, DirectContext(work)).trained_rows == 24
    return work / "exp-1" / "adapter"


def test_it_is_trained_by_the_products_own_trainer_and_answers_as_it_was_taught(folder, trained):
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    rows = [PreparedRow(row_id=row["row_id"], payload=row["payload"]) for row in reviews()]
    predictor = WeightsPredictor(load_model(folder, trained), load_tokenizer(folder))
    said = [one.output for one in handler.predict(rows, predictor)]
    right = sum(label == row.payload["label"] for label, row in zip(said, rows, strict=True))
    assert right >= 22, said
    generated = predictor.generate([handler.prompt(row.payload) for row in rows[:4]], 8)
    assert set(generated) <= set(LABELS), "it writes a label, and then its own end mark"


def test_it_is_exported_or_the_format_is_refused_by_name(folder, trained, tmp_path):
    from brewslm.models.catalogue import base_model
    from brewslm.processes.context import DirectContext
    from brewslm.stages import export

    job = export_job(folder, trained, tmp_path).model_copy(update={"formats": ("hf", "safetensors-merged", "gguf-f16")})
    architecture = base_model(f"path:{folder}").model_class
    if architecture != "Gemma3ForCausalLM":
        export.run(job, DirectContext(tmp_path))
        assert (job.output / "manifest.json").is_file()
        return
    with pytest.raises(StageError) as refused:
        export.run(job, DirectContext(tmp_path))
    assert refused.value.reason.code == "gguf_unsupported" and architecture in refused.value.cause
    export.run(job.model_copy(update={"formats": ("hf", "safetensors-merged")}), DirectContext(tmp_path))
    assert (job.output / "manifest.json").is_file()
