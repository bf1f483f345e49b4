"""The table of formats: what is made for what was asked, what it takes, and what can't be had."""

import pytest

from brewslm.errors import StageError
from brewslm.models.formats import (
    ALL,
    BY_NAME,
    DEFAULT_FORMATS,
    FORMATS,
    TABLE,
    checked_formats,
    export_bytes,
    impossible,
    is_asked,
    with_sources,
)
from brewslm.stages.export.makers import MAKERS


def test_each_format_has_a_maker_and_its_sources_come_before_it():
    for place, one in enumerate(TABLE):
        assert one.maker in MAKERS
        assert one.made_from is None or one.made_from in FORMATS[:place]


def test_a_quantised_file_is_made_of_f16_and_that_of_the_merged_model():
    assert with_sources(["gguf-q4_0"]) == ("hf", "gguf-f16", "gguf-q4_0")
    assert with_sources(["safetensors-adapter"]) == ("hf", "safetensors-adapter")


def test_a_group_stands_for_its_formats_in_our_order():
    assert checked_formats(["gguf"]) == tuple(name for name in FORMATS if name.startswith("gguf"))
    assert checked_formats(["gguf-q8_0", "safetensors", "gguf-q8_0"]) == (
        "safetensors-adapter", "safetensors-merged", "gguf-q8_0",
    )  # fmt: skip
    assert not any(BY_NAME[name].toolchains for name in checked_formats([ALL]))


def test_disk_counts_what_a_format_is_made_of():
    assert export_bytes(["gguf-q8_0"], 1000, 10) == 4000 + 2000 + 1062 + 10


def test_only_what_a_person_named_is_refused():
    assert is_asked(("gguf-f16",), "gguf-f16")
    assert not is_asked(DEFAULT_FORMATS, "gguf-f16") and not is_asked(("gguf",), "gguf-f16")


@pytest.mark.parametrize(
    ("name", "architecture", "whole", "says"),
    [
        ("gguf-q6_k", "encoder", False, "of architecture encoder"),
        ("safetensors-adapter", "causal", True, "there is no adapter"),
        ("safetensors-merged", "vision", True, None),
    ],
)
def test_what_a_model_can_not_have_is_named(name, architecture, whole, says):
    cause = impossible(name, architecture, whole=whole)
    assert cause is None if says is None else says in cause


def test_a_name_that_is_none_gets_a_suggestion():
    with pytest.raises(StageError, match="did you mean gguf-q5_k_m"):
        checked_formats(["gguf-q5_k"])
