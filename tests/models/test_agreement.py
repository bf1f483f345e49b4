"""Agreement counts tokens honestly: a changed model shows its flips, with how sure the trained one was."""

import pytest
import torch

from brewslm.models.agreement import (
    Reference,
    agreement,
    compared,
    divergences,
    log_softmax,
    references,
    weights_logits,
    weights_top1,
)
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.prompt import Prompt

ONE = Reference(prompt_ids=[1], answer_ids=[5, 6, 2], expected=[5, 6, 2], margins=[0.9, 0.1, 0.8], stopped=True)


def test_a_flip_is_counted_once_and_keeps_its_margin():
    found = agreement(lambda prompt, answer: [5, 7, 2], [ONE])
    assert (found.tokens, round(found.top1, 3), found.greedy) == (3, 0.667, 0.0)
    assert [(flip.position, flip.expected, flip.found, flip.margin) for flip in found.flips] == [(1, 6, 7, 0.1)]


def test_greedy_agreement_is_the_share_of_prompts_without_a_flip():
    answers = iter([[5, 6, 2], [5, 6, 9]])
    found = agreement(lambda prompt, answer: next(answers), [ONE, ONE])
    assert (found.greedy, round(found.top1, 3)) == (0.5, 0.833)


@pytest.fixture(scope="module")
def asked(tiny_model, tiny_adapter):
    """The trained model's references, of prompts of different lengths."""
    texts = ["the movie 1 was great and great", "awful"]
    prompts = [
        Prompt(
            ({"role": "system", "content": "Classify the text as negative or positive."}, {"role": "user", "content": text}), ""
        )
        for text in texts
    ]
    tokenizer = load_tokenizer(tiny_model)
    return references(load_model(tiny_model, tiny_adapter, "fp32", merge=False), tokenizer, prompts, 12)


def test_a_reference_is_the_greedy_answer_up_to_its_end_mark(asked):
    for one in asked:
        assert one.expected == one.answer_ids and min(one.margins) > 0
        assert one.stopped == (one.answer_ids[-1] == 2) and 2 not in one.answer_ids[:-1]
    assert asked[0].stopped


def test_the_merged_model_agrees_with_adapter_on_base_on_every_token(asked, tiny_model, tiny_adapter):
    found = agreement(weights_top1(load_model(tiny_model, tiny_adapter, "fp32")), asked)
    assert (found.top1, found.greedy, found.flips) == (1.0, 1.0, [])


def test_a_model_without_its_adapter_disagrees(asked, tiny_model):
    assert agreement(weights_top1(load_model(tiny_model, precision="fp32")), asked).top1 < 0.9


def test_one_damaged_layer_is_seen(asked, tiny_model, tiny_adapter):
    model = load_model(tiny_model, tiny_adapter, "fp32")
    with torch.no_grad():
        model.model.layers[1].self_attn.v_proj.weight.mul_(-3)
    assert agreement(weights_top1(model), asked).top1 < 1.0


def test_divergence_is_that_of_scipy_and_nothing_between_equals():
    import numpy as np
    from scipy.special import rel_entr, softmax

    one, other = np.random.default_rng(0).normal(size=(2, 5, 30))
    found = divergences(log_softmax(one), log_softmax(other))
    assert found == pytest.approx(rel_entr(softmax(one, axis=-1), softmax(other, axis=-1)).sum(axis=-1), abs=1e-9)
    assert divergences(log_softmax(one), log_softmax(one)).max() < 1e-12


def test_a_model_is_near_to_itself_and_far_from_its_base(asked, tiny_model, tiny_adapter):
    import numpy as np

    tuned, base = (weights_logits(load_model(tiny_model, one, "fp32")) for one in (tiny_adapter, None))
    trained, untrained = (
        np.concatenate([log_softmax(said(one.prompt_ids, one.answer_ids)) for one in asked]) for said in (tuned, base)
    )
    found = compared(tuned, asked, trained, untrained)
    assert found.top1 == 1.0 and found.kl < 1e-6 < 0.1 < found.kl_base
    turned = compared(base, asked, trained, untrained)
    assert turned.kl > 0.1 and turned.kl_base < 1e-6
