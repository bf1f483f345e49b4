"""A model whose linear layers were arranged for answering says what it said before."""

import pytest
import torch

from brewslm.models.asking import LoadedModel
from brewslm.models.catalogue import base_model
from brewslm.models.kernels.arranged import arrange
from brewslm.models.loading import load_model
from brewslm.rows.manifest import OutputSchema
from tests.families import FAMILIES, make_family

IDS = torch.tensor([[3, 5, 8, 13, 21, 34, 7], [4, 6, 9, 14, 22, 35, 8]])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_every_family_says_the_same_as_before(family, dtype, tmp_path):
    model = load_model(make_family(tmp_path / "model", family), precision="fp32").to(dtype)
    with torch.inference_mode():
        before = model(input_ids=IDS).logits
        arrange(model, 2)
        near = 8 * torch.finfo(dtype).eps * before.abs().max().item()
        for _ in range(2):  # the second time too: nothing of the first is left over
            torch.testing.assert_close(model(input_ids=IDS).logits, before, rtol=0, atol=near)


def test_the_layers_of_one_input_are_one_product_and_their_own_weights_are_gone(tiny_model, monkeypatch):
    model = load_model(tiny_model, precision="fp32")
    products = []
    arrange(model, 2)
    real = torch.ops.mkldnn._linear_pointwise
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda x, *rest: products.append(x) or real(x, *rest))
    with torch.inference_mode():
        model(input_ids=IDS)
    assert len(products) == 4 * model.config.num_hidden_layers + 1  # q with k and v, o, gate with up, down; the head
    left = [name for name, one in model.named_parameters() if one.numel() and name.endswith("proj.weight")]
    assert left == [] and model.get_input_embeddings().weight.numel()


def test_what_is_loaded_to_be_asked_is_arranged(tiny_model):
    loaded = LoadedModel(base_model(f"path:{tiny_model}"), OutputSchema(scoring_mode="text"), precision="fp32")
    assert not loaded._model.model.layers[0].mlp.up_proj.weight.numel()
