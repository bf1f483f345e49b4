"""A stock trainer's side of bench.train_throughput: transformers' Trainer or TRL's SFTTrainer, as their users would write it.

Run by bench.train_throughput: python train_throughput_peer.py JOB.json. Its last line is JSON. Nothing of BrewSLM is in it.

The job: model (a folder), rows (input ids and how many of them are the prompt's, in the order of training), dev rows, and the
settings to try: trainer, weights (float32, bfloat16), autocast, matmul (highest, medium), packing, attention.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch.utils.data import SequentialSampler
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


class Clock(TrainerCallback):  # type: ignore[misc]
    """The time at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.logs: list[dict[str, float]] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.ends.append(time.perf_counter())

    def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
        """Keep the loss and the gradient's norm."""
        if "grad_norm" in logs:
            self.logs.append({name: float(logs[name]) for name in ("loss", "grad_norm")})


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Train, and say how long each step took."""
    settings = job["settings"]
    torch.set_num_threads(job["threads"])
    torch.set_float32_matmul_precision(settings.get("matmul", "highest"))
    clock = Clock()
    trainer = built(job, settings, clock)
    trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "ends": clock.ends,
        "steps": clock.logs,
        "dev_loss": dev_loss(trainer.model, job["dev"]),
        "peak_mb": peak,
    }


def built(job: dict[str, Any], settings: dict[str, Any], clock: Clock) -> Any:
    """The trainer, with the rows in the order given: that of lengths, which stock trainers call grouping."""
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    tokenizer.pad_token = "<|endoftext|>"  # not the end mark, which would be masked
    rows = [
        {"input_ids": ids, "labels": [-100] * prompt + ids[prompt:], "attention_mask": [1] * len(ids)}
        for ids, prompt in job["rows"]
    ]
    shared = {
        "output_dir": job["folder"], "per_device_train_batch_size": job["batch_size"], "max_steps": job["steps"],
        "learning_rate": job["learning_rate"], "lr_scheduler_type": "linear", "warmup_steps": 0, "weight_decay": 0.0,
        "max_grad_norm": 1.0, "optim": "adamw_torch_fused", "bf16": settings["autocast"], "use_cpu": True, "seed": job["seed"],
        "logging_steps": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True, "gradient_checkpointing": False,
        "dataloader_num_workers": 0, "dataloader_pin_memory": False,
    }  # fmt: skip
    if settings["trainer"] == "trl":
        return sft_trainer(job, settings, rows, shared, tokenizer, clock)

    class InOrder(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *_: Any) -> Any:
            return SequentialSampler(rows)

    collator = DataCollatorForSeq2Seq(tokenizer, padding="longest")
    return InOrder(
        model=model(job, settings),
        args=TrainingArguments(**shared),
        train_dataset=rows,
        data_collator=collator,
        callbacks=[clock],
    )


def sft_trainer(
    job: dict[str, Any],
    settings: dict[str, Any],
    rows: list[dict[str, Any]],
    shared: dict[str, Any],
    tokenizer: Any,
    clock: Clock,
) -> Any:
    """TRL's, on rows that are tokenised already; with packing it lays them out itself, so that a step has other rows."""
    from trl import SFTConfig, SFTTrainer

    packing = settings.get("packing", False)
    given = [{name: row[name] for name in ("input_ids", "labels")} for row in rows]
    extra: dict[str, Any] = {"max_length": job["pack_tokens"] if packing else None, "packing": packing}
    if packing:
        extra["per_device_train_batch_size"] = 1
        extra["max_steps"], extra["num_train_epochs"] = -1, 1
    else:
        extra["dataset_kwargs"] = {"skip_prepare_dataset": True}

    class InOrder(SFTTrainer):  # type: ignore[misc]
        def _get_train_sampler(self, *given: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    return InOrder(
        model=model(job, settings), args=SFTConfig(**{**shared, **extra}), train_dataset=Dataset.from_list(given),
        processing_class=tokenizer, callbacks=[clock],
    )  # fmt: skip


def model(job: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The base with a fresh LoRA on every linear layer, its weights the same for every system."""
    base = AutoModelForCausalLM.from_pretrained(
        job["model"], dtype=getattr(torch, settings["weights"]), attn_implementation=settings.get("attention", "sdpa")
    )
    torch.manual_seed(job["seed"])
    lora = LoraConfig(task_type="CAUSAL_LM", r=job["lora_r"], lora_alpha=2 * job["lora_r"], target_modules=job["targets"])
    return get_peft_model(base, lora)


def dev_loss(trained: Any, rows: list[Any]) -> float:
    """Mean loss over the answers' tokens, in fp32, row by row: the same measure for every system."""
    trained = trained.float().eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for ids, prompt in rows:
            logits = trained(input_ids=torch.tensor([ids])).logits[0]
            total += torch.nn.functional.cross_entropy(
                logits[prompt - 1 : -1], torch.tensor(ids[prompt:]), reduction="sum"
            ).item()  # fmt: skip
            count += len(ids) - prompt
    return total / count


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
