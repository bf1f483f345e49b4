"""A GGUF file computes and tokenises as the model it was written from."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.models.gguf_model import GgufModel, quantise
from brewslm.models.gguf_writer import tensor_types, write_gguf
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.templates import end_token_id, text_ids
from brewslm.store.files import read_json, write_json
from tests.chat_formats import TALK
from tests.families import FAMILIES, make_family

ASKED = "<|im_start|>user\nthe 3rd movie was\n\n42 times dull<|im_end|>\n<|im_start|>assistant\n"


def written(folder, target, **more):
    write_gguf(folder, target, name="tiny", end_token=2, **more)
    return target


@pytest.fixture(scope="module")
def file(tiny_model, tmp_path_factory):
    return written(tiny_model, tmp_path_factory.mktemp("gguf") / "model.gguf")


@pytest.fixture(scope="module")
def opened(file):
    model = GgufModel(file, 512)
    yield model
    model.close()


@pytest.fixture
def copy(tiny_model, tmp_path):
    """The tiny model's folder, to be changed."""
    return shutil.copytree(tiny_model, tmp_path / "copy")


def logits_of(file, ids):
    model = GgufModel(file, 512)
    model.logits(ids[:-1], ids[-1:] * 2)
    found = np.array(model._llama.scores[: len(ids)])
    model.close()
    return found


def test_the_logits_are_those_of_the_weights(file, tiny_model):
    ids = text_ids(load_tokenizer(tiny_model), ASKED)
    wanted = load_model(tiny_model, precision="fp32")(torch.tensor([ids])).logits[0].detach().numpy()
    assert np.abs(logits_of(file, ids) - wanted).max() < 0.02


def test_a_head_of_its_own_is_written_too(copy, tmp_path):
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(copy)
    model.config.tie_word_embeddings = False
    torch.manual_seed(1)
    untied = LlamaForCausalLM(model.config)
    untied.save_pretrained(copy)
    ids = text_ids(load_tokenizer(copy), ASKED)
    wanted = untied.eval()(torch.tensor([ids])).logits[0].detach().numpy()
    assert np.abs(logits_of(written(copy, tmp_path / "untied.gguf"), ids) - wanted).max() < 0.02


@pytest.mark.parametrize("name", ["llama", "mistral", "qwen2", "qwen3"])
def test_each_family_computes_and_tokenises_as_its_weights(name, tmp_path):
    folder = make_family(tmp_path / "model", next(one for one in FAMILIES if one.name == name))
    tokenizer = load_tokenizer(folder)
    file = tmp_path / "model.gguf"
    write_gguf(folder, file, name=name, end_token=end_token_id(tokenizer))
    text = tokenizer.apply_chat_template(TALK, tokenize=False, add_generation_prompt=True)
    ids = text_ids(tokenizer, text)
    wanted = load_model(folder, precision="fp32")(torch.tensor([ids])).logits[0].detach().numpy()
    assert np.abs(logits_of(file, ids) - wanted).max() < 0.02
    model = GgufModel(file, 512)
    assert model.tokenise(text) == ids
    model.close()


def test_text_is_cut_as_qwen_does(copy, tmp_path):
    """With the pre-tokenizer and the normaliser of Qwen's own tokenizer.json."""
    from brewslm.models.gguf_tokenizer import _QWEN

    tokenizer = read_json(copy / "tokenizer.json")
    split = {"type": "Split", "pattern": {"Regex": _QWEN}, "behavior": "Isolated", "invert": False}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    tokenizer |= {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, bytes_]}, "normalizer": {"type": "NFC"}}
    write_json(copy / "tokenizer.json", tokenizer)
    model = GgufModel(written(copy, tmp_path / "model.gguf"), 512)
    loaded = load_tokenizer(copy)
    for text in ("the movie wasn't 42 times dull\n\n  ok", "It's GOOD, isn't it?\r\n", "日本 é 1234"):
        assert model.tokenise(text) == text_ids(loaded, text)
    model.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(
        st.sampled_from("aeilmnost .,!?'\n\t0123456789-\"{}:éß日本") | st.characters(min_codepoint=32, max_codepoint=126),
        max_size=60,
    )
)
def test_any_text_is_tokenised_as_in_training(opened, tiny_model, text):
    assert opened.tokenise(text) == text_ids(load_tokenizer_once(tiny_model), text)


_LOADED = {}


def load_tokenizer_once(folder):
    return _LOADED.setdefault(folder, load_tokenizer(folder))


def test_special_tokens_are_one_token_each(opened, tiny_model):
    assert opened.tokenise(ASKED) == text_ids(load_tokenizer(tiny_model), ASKED)
    assert opened.tokenise(ASKED).count(2) == 1


def test_a_copied_tokenizer_is_the_same_tokenizer(file, tiny_model, tmp_path):
    model = GgufModel(written(tiny_model, tmp_path / "again.gguf", tokenizer_from=file), 512)
    assert model.tokenise(ASKED) == text_ids(load_tokenizer(tiny_model), ASKED)
    model.close()


def test_the_template_and_the_end_mark_are_inside(file, tiny_model):
    import gguf

    fields = gguf.GGUFReader(file).fields
    assert fields["tokenizer.chat_template"].contents() == (tiny_model / "chat_template.jinja").read_text()
    assert fields["tokenizer.ggml.eot_token_id"].contents() == 2


@pytest.mark.parametrize(("digits", "pre"), [(True, "smollm"), (False, "gpt-2")])
def test_the_way_of_cutting_text_is_named_as_llama_cpp_knows_it(copy, tmp_path, digits, pre):
    """The tiny vocabulary has no merge that would show a wrong name, a real one has."""
    import gguf

    tokenizer = read_json(copy / "tokenizer.json")
    if not digits:
        tokenizer["pre_tokenizer"] = tokenizer["pre_tokenizer"]["pretokenizers"][1]
    write_json(copy / "tokenizer.json", tokenizer)
    assert gguf.GGUFReader(written(copy, tmp_path / "model.gguf")).fields["tokenizer.ggml.pre"].contents() == pre


@pytest.mark.parametrize(
    ("name", "change", "cause"),
    [
        ("config.json", {"architectures": ["GPT2LMHeadModel"]}, "architectures is GPT2LMHeadModel"),
        ("config.json", {"attention_bias": True}, "attention_bias is True"),
        ("config.json", {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1.0}}, "rope_type is llama3"),
        ("tokenizer.json", {"normalizer": {"type": "NFC"}}, "not a plain byte-level BPE"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Metaspace"}}, "pre-tokenizer Metaspace"),
    ],
)
def test_what_would_answer_otherwise_is_refused(copy, tmp_path, name, change, cause):
    write_json(copy / name, read_json(copy / name) | change)
    with pytest.raises(StageError) as refused:
        written(copy, tmp_path / "model.gguf")
    assert refused.value.reason.code == "gguf_unsupported" and cause in refused.value.cause
    assert not (tmp_path / "model.gguf").exists()


def test_a_copied_tokenizer_of_another_size_is_refused(file, copy, tmp_path):
    write_json(copy / "config.json", read_json(copy / "config.json") | {"vocab_size": 9})
    with pytest.raises(StageError, match="GGUF"):
        written(copy, tmp_path / "model.gguf", tokenizer_from=file)


@pytest.mark.parametrize(("variant", "kinds"), [("q8_0", {"Q8_0", "F32"}), ("q4_k_m", {"Q5_0", "Q8_0", "F32"})])
def test_quantising_says_what_each_tensor_became(file, tmp_path, variant, kinds):
    """64 columns are not divisible by 256: llama.cpp falls back from Q4_K, and the record shows it."""
    assert quantise(file, tmp_path / "small.gguf", variant)
    found = tensor_types(tmp_path / "small.gguf")
    assert set(found) == kinds and sum(found.values()) == sum(tensor_types(file).values())


def test_a_truncated_file_is_not_quantised(file, tmp_path):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert not quantise(cut, tmp_path / "small.gguf", "q8_0")
