"""Every shortcut gives the plain library's values and gradients."""

import copy

import pytest
import torch

from brewslm.models.kernels import attention as attending
from brewslm.models.kernels.attention import attention
from brewslm.models.kernels.elementwise import gated, norm
from brewslm.models.kernels.fuse import fuse, share
from brewslm.models.kernels.head import CHUNK, supervised_loss
from brewslm.models.loading import load_model
from brewslm.models.packed_attention import attend_within_rows
from brewslm.models.packing import Example, pack, shared_prefix
from brewslm.models.recipe import recipe_named
from brewslm.stages.train.adapter import with_adapter
from brewslm.stages.train.loss import pack_loss
from tests.families import FAMILIES, make_family


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def folder(request, tmp_path_factory):
    return make_family(tmp_path_factory.mktemp(request.param.name), request.param)


def adapted(folder, **settings):
    """The model with an adapter as after some steps: at B = 0 no gradient would reach A."""
    model = with_adapter(load_model(folder, precision="fp32"), recipe_named("qa", {"lora_r": "4"} | settings)).train()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.linspace(-0.1, 0.1, weight.numel()).view_as(weight))
    return model


def rows() -> list[Example]:
    return [Example(f"r{n}", [1, 20, 21, *range(5 + n, 25 + 3 * n), *range(30, 32 + n), 2], 4 + 20 + 2 * n) for n in range(6)]


def plain(model):
    """Loss and gradients of the library's own model, row by row."""
    loss = torch.zeros(())
    for row in rows():
        labels = torch.tensor([[-100] * row.prompt_length + row.ids[row.prompt_length :]])
        loss = loss + model(input_ids=torch.tensor([row.ids]), labels=labels).loss * row.supervised
    return loss.detach(), gradients(model, loss)


def fused(model, dtype, budget: int = 10_000, with_prefix: bool = True):
    """The same by the kernels."""
    base = model.get_base_model()
    attend_within_rows(base)
    fuse(base, dtype)
    head = base.lm_head.weight.detach().to(dtype)
    packs = pack(rows(), shared_prefix(rows()) if with_prefix else [], budget)
    loss = sum(pack_loss(base, packed, head) for packed in packs)
    return loss.detach(), gradients(model, loss)


def gradients(model, loss):
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    return dict(zip(trained, torch.autograd.grad(loss, list(trained.values())), strict=True))


@pytest.mark.parametrize(("budget", "with_prefix"), [(10_000, True), (10_000, False), (40, True)])
@pytest.mark.parametrize("share_of_layers", ["1.0", "0.5"])
def test_a_fused_model_has_the_plain_models_loss_and_gradients(folder, budget, with_prefix, share_of_layers):
    model = adapted(folder, lora_top_layers=share_of_layers)
    wanted, expected = plain(model)
    found, got = fused(model, torch.float32, budget, with_prefix)
    assert torch.allclose(found, wanted, rtol=1e-5), (found, wanted)
    assert list(got) == list(expected) and any("lora_A" in name for name in got)
    for name, one in expected.items():
        assert (got[name] - one).norm() <= 1e-4 * one.norm(), name


def test_every_norm_and_every_linear_layer_of_each_family_is_replaced(folder):
    base = load_model(folder, precision="fp32")
    fuse(base, torch.float32)
    untouched = [
        name for name, module in base.model.named_modules()
        if type(module).__name__.endswith(("RMSNorm", "Linear", "MLP")) and "forward" not in vars(module)
    ]  # fmt: skip
    assert not untouched


def test_in_bf16_the_loss_and_the_direction_of_the_gradient_are_those_of_fp32(folder):
    model = adapted(folder)
    wanted, expected = plain(model)
    found, got = fused(model, torch.bfloat16)
    assert torch.allclose(found, wanted, rtol=0.02)
    together, apart = (torch.cat([each[name].flatten() for name in expected]) for each in (got, expected))
    assert torch.nn.functional.cosine_similarity(together, apart, dim=0) > 0.995
    assert 0.95 < together.norm() / apart.norm() < 1.05


def test_an_update_smaller_than_the_last_digit_of_what_the_base_gives_is_not_lost():
    """bf16 near 1 has steps of 1/128; the adapter's part here is a tenth of half a step."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    stack = torch.nn.Sequential(torch.nn.Linear(64, 4096, bias=False))
    model = get_peft_model(stack, LoraConfig(r=1, lora_alpha=1, target_modules=["0"]))
    layer = model.base_model.model[0]
    x = torch.rand(1, 64)
    with torch.no_grad():
        layer.base_layer.weight.copy_(torch.rand(4096, 64) / 16)
        layer.lora_A["default"].weight.fill_(1.0)
        layer.lora_B["default"].weight.fill_(0.0004 / x.sum())
    base = x.bfloat16() @ layer.base_layer.weight.bfloat16().t()
    usual = base + (x.bfloat16() @ layer.lora_A["default"].weight.bfloat16().t()) @ layer.lora_B["default"].weight.bfloat16().t()
    share([layer], torch.bfloat16)
    moved = (layer(x).float() - base.float()).mean()
    assert abs(moved - 0.0004) < 0.0001
    assert (usual.float() - base.float()).abs().mean() < 0.0001, "as PEFT sums it, most of it is lost"


@pytest.mark.parametrize("at_once", [1, 2**20])
def test_attention_is_torchs_own_whether_in_tiles_or_at_once(monkeypatch, at_once):
    monkeypatch.setattr(attending, "AT_ONCE", at_once)
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, 2, length, 8, requires_grad=True) for length in (5, 7, 7))
    bias = torch.zeros(5, 7)
    bias[:, 2:].masked_fill_(torch.ones(5, 5, dtype=torch.bool).triu(1), float("-inf"))
    wanted = torch.nn.functional.scaled_dot_product_attention(query, key, value, bias, scale=1.0)
    found = attention(query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1), bias).view_as(wanted)
    weight = torch.randn_like(wanted)
    expected, got = (torch.autograd.grad((out * weight).sum(), (query, key, value)) for out in (wanted, found))
    assert torch.allclose(found, wanted, atol=1e-6)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(got, expected, strict=True))


def test_rows_too_long_for_plain_products_get_flash_attention_and_the_same_loss(monkeypatch, folder):
    model = adapted(folder)
    wanted, expected = fused(copy.deepcopy(model), torch.float32)
    monkeypatch.setattr(attending, "MOST", 1)
    found, got = fused(model, torch.float32)
    assert torch.allclose(found, wanted, rtol=1e-5)
    assert all((got[name] - one).norm() <= 1e-4 * one.norm() for name, one in expected.items())


@pytest.mark.parametrize("tokens", [1, CHUNK, CHUNK + 3])
def test_the_heads_loss_is_the_stock_cross_entropy(tokens):
    torch.manual_seed(0)
    hidden, head, targets = torch.randn(tokens, 16, requires_grad=True), torch.randn(50, 16), torch.randint(50, (tokens,))
    wanted = torch.nn.functional.cross_entropy(hidden @ head.t(), targets, reduction="sum")
    found = supervised_loss(hidden, head, targets)
    expected, got = (torch.autograd.grad(loss * 0.3, hidden)[0] for loss in (wanted, found))
    assert torch.allclose(found, wanted, rtol=1e-5) and torch.allclose(got, expected, atol=1e-5)
    with torch.inference_mode():
        assert torch.allclose(supervised_loss(hidden, head, targets), wanted, rtol=1e-5)


def test_norm_and_gate_have_the_gradients_that_autograd_gives():
    torch.manual_seed(0)
    x, weight, gate, up = (torch.randn(*shape, dtype=torch.float64) for shape in ((4, 6), (6,), (4, 6), (4, 6)))
    gelu = torch.nn.GELU(approximate="tanh")
    for made, given in ((lambda one: gated(one, up, gelu), gate), (lambda one: gated(gate, one, gelu), up)):
        assert torch.autograd.gradcheck(made, (given.requires_grad_(),))
        given.requires_grad_(False)
    single = x.float().requires_grad_()
    wanted = torch.nn.functional.rms_norm(single, (6,), weight.float(), 1e-3)
    found = norm(single, weight.float(), 1e-3, torch.float32)
    expected, got = (torch.autograd.grad((out**3).sum(), single)[0] for out in (wanted, found))
    assert torch.allclose(found, wanted, atol=1e-6) and torch.allclose(got, expected, rtol=1e-4, atol=1e-5)
