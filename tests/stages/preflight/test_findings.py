"""Each finding is reached by what it is about: a model, a template, a machine that is so."""

import sys

import pytest

from brewslm.models.recipe import Recipe, recipe_named
from brewslm.stages.preflight import TRAINABLE
from brewslm.stages.preflight.machine import check_dependencies, check_disk
from tests.families import FAMILIES, make_family
from tests.stages.preflight.checking import ALL, changed_copy, checked, found

BY_NAME = {family.name: family for family in FAMILIES}


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    def made(name, **more):
        return make_family(tmp_path_factory.mktemp(name), BY_NAME[name], **more)

    return made


def test_a_sound_model_has_no_finding(tiny_model, tmp_path):
    result = checked(tiny_model, tmp_path)
    assert (result.passed, result.findings) == (True, [])


@pytest.mark.parametrize("name", BY_NAME)
def test_nor_has_any_of_the_families_with_its_own_chat_format(family, tmp_path, name):
    assert checked(family(name), tmp_path, formats=("hf",)).findings == []


def test_each_family_that_is_proven_may_be_trained():
    assert {family.model for family in FAMILIES} == set(TRAINABLE)


def test_a_method_whose_library_is_not_there_is_named_with_how_to_get_it():
    recipe = Recipe.model_construct(**recipe_named("qa").model_dump() | {"method": "qlora"})
    (finding,) = check_dependencies(recipe, ())
    assert (finding.code, finding.fatal) == ("dependency_missing", True)
    assert finding.measured == "bitsandbytes is not installed" and "pip install 'brewslm[qlora]'" in finding.next_step


def test_a_wanted_format_whose_toolchain_is_missing_is_a_warning(monkeypatch):
    monkeypatch.setitem(sys.modules, "llama_cpp", None)  # as where it is not installed
    (finding,) = check_dependencies(recipe_named("qa"), ALL)
    assert (finding.code, finding.severity) == ("export_toolchain_missing", "warning")
    assert "llama-cpp-python" in finding.measured and "gguf-q8_0" in finding.limit
    assert not list(check_dependencies(recipe_named("qa"), ("hf",)))


def test_a_disk_without_room_for_the_checkpoints_blocks_and_without_room_for_the_exports_warns(tmp_path):
    trained, recipe = 10**6, recipe_named("qa")
    assert not list(check_disk(tmp_path / "not" / "there" / "yet", recipe, trained, 10**6, ALL))
    (finding,) = check_disk(tmp_path, recipe, trained, 10**14, ALL)
    assert (finding.code, finding.severity) == ("disk_short_for_exports", "warning")
    (finding,) = check_disk(tmp_path, recipe, 10**14, 10**6, ALL)
    assert (finding.code, finding.severity) == ("disk_does_not_fit", "blocker") and "GB free" in finding.limit


def test_rows_longer_than_a_sliding_window_block_and_max_length_leaves_them_out(family, tmp_path):
    window = checked(family("gemma3"), tmp_path).plan.longest_tokens - 1
    base = family("gemma3", sliding_window=window)
    finding = found(checked(base, tmp_path / "a"))["rows_over_window"]
    assert finding.fatal and finding.limit.startswith(f"{window} tokens") and f"max_length={window}" in finding.next_step
    counted = int(finding.measured.split()[0])
    shorter = found(checked(base, tmp_path / "b", max_length=str(window)))
    assert "rows_over_window" not in shorter and int(shorter["rows_over_length"].measured.split()[0]) == counted


def test_rows_longer_than_the_models_context_block(tiny_model, tmp_path):
    base = changed_copy(tiny_model, tmp_path / "short", max_position_embeddings=30)
    assert found(checked(base, tmp_path))["rows_over_context"].limit == "30 tokens, the model's context"


def test_capped_scores_are_refused(family, tmp_path):
    result = checked(family("gemma3", attn_logit_softcapping=50.0), tmp_path)
    assert found(result)["scores_are_capped"].fatal and result.plan is None


@pytest.mark.parametrize(("asked", "severity"), [(False, "warning"), (True, "blocker")])
def test_a_format_that_this_architecture_can_not_have_is_said_before_training(family, tmp_path, asked, severity):
    finding = found(checked(family("gemma3"), tmp_path, asked=asked))["export_format_unsupported"]
    assert finding.severity == severity and "Gemma3ForCausalLM" in finding.measured
    assert not found(checked(family("gemma3"), tmp_path / "hf", formats=("hf",), asked=asked))
    assert "export_format_unsupported" not in found(checked(family("qwen2"), tmp_path / "gguf", asked=asked))


def test_a_template_that_refuses_the_rows_is_a_finding(tiny_model, tmp_path):
    base = changed_copy(tiny_model, tmp_path / "model", template="{{ raise_exception('never') }}")
    finding = found(checked(base, tmp_path))["template_unusable"]
    assert finding.fatal and "never" in finding.measured


def test_a_template_that_opens_no_turn_for_the_answer_blocks(tiny_model, tmp_path):
    silent = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    base = changed_copy(tiny_model, tmp_path / "model", template=silent)
    finding = found(checked(base, tmp_path))["template_mask_missing"]
    assert finding.severity == "blocker" and "assistant" in finding.measured


def test_a_thought_that_the_format_puts_before_each_answer_is_a_warning(tiny_model, tmp_path):
    thinking = (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + ('<think>\n' if m['role'] == 'assistant' else '')"
        " + m['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    base = changed_copy(tiny_model, tmp_path / "model", template=thinking)
    finding = found(checked(base, tmp_path))["template_mask_missing"]
    assert finding.severity == "warning" and "<think>" in finding.measured


def test_a_model_that_could_never_learn_to_stop_blocks(tiny_model, tmp_path):
    endless = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    base = changed_copy(tiny_model, tmp_path / "model", template=endless, tokenizer={"eos_token": None})
    assert found(checked(base, tmp_path))["stop_token_missing"].fatal
    stops = changed_copy(tiny_model, tmp_path / "stops", template=endless)
    assert "stop_token_missing" not in found(checked(stops, tmp_path / "b")), "its eos ends an answer"
