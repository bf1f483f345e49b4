"""Preflight of training by preference: its objective, its memory and its time."""

from brewslm.handlers.eval_pack import load_eval_pack
from brewslm.models.recipe import recipe_named
from brewslm.processes.context import DirectContext
from brewslm.stages import preflight
from brewslm.store.files import sha256
from tests.stages.preflight.checking import found, job_on
from tests.stages.train.pairs import pairs, write_pairs


def job(base, work, rows=None, **settings: str):
    manifest = write_pairs(work / "prepared", base, rows=rows)
    return job_on(base, work / "other").model_copy(
        update={
            "manifest_path": manifest, "manifest_sha256": sha256(manifest), "eval_pack": load_eval_pack("general"),
            "recipe": recipe_named("preference", {"batch_size": "8"} | settings),
        }
    )  # fmt: skip


def run(base, work, **given):
    return preflight.run(job(base, work, **given), DirectContext(work))


def test_pairs_are_planned_with_both_answers_in_each_pass(tiny_model, tmp_path):
    result = run(tiny_model, tmp_path, rows=pairs(40))
    assert result.passed and not result.findings
    assert (result.plan.rows, result.plan.steps) == (40, 10)
    once = result.plan.tokens / 40
    assert once > 1.7 * result.plan.longest_tokens, "the prompt and both answers"


def test_larger_passes_take_more_memory_and_dpo_more_time_than_orpo(tiny_model, tmp_path):
    small, large = (run(tiny_model, tmp_path, pack_tokens=tokens).plan for tokens in ("100", "2000"))
    assert small.memory_bytes["activations"] < large.memory_bytes["activations"]
    planned = {one: run(tiny_model, tmp_path, objective=one).plan for one in ("dpo", "orpo")}
    assert planned["dpo"].memory_bytes == planned["orpo"].memory_bytes
    assert planned["dpo"].seconds > planned["orpo"].seconds, "the base is asked once too"


def test_a_recipe_for_other_rows_blocks_either_way(tiny_model, tmp_path):
    finding = found(run(tiny_model, tmp_path, objective="supervised"))["recipe_objective"]
    assert finding.fatal and "--recipe preference" in finding.next_step
    supervised = job_on(tiny_model, tmp_path / "labels", objective="dpo")
    finding = found(preflight.run(supervised, DirectContext(tmp_path)))["recipe_objective"]
    assert finding.fatal and "--set objective=supervised" in finding.next_step


def test_pairs_that_are_left_out_are_counted_by_reason(tiny_model, tmp_path):
    rows = pairs(40)
    rows[0]["payload"]["rejected"] = rows[0]["payload"]["chosen"]
    rows[1]["payload"]["chosen"] = "good " * 600
    said = found(run(tiny_model, tmp_path, rows=rows))
    assert said["rows_identical_pair"].limit == "two answers that differ" and said["rows_over_length"].measured == "1 of 40 rows"
