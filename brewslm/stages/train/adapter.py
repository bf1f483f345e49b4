"""What of a model is trained: an adapter on its linear layers, or every weight."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.packed_attention import attend_within_rows
from brewslm.models.recipe import Recipe
from brewslm.reasons.training import TrainingDispatchError


def model_to_train(base: Path, recipe: Recipe, experiment_id: str) -> Any:
    """The base with what the recipe's method trains of it; it attends within rows.

    Raises:
        StageError(TrainingDispatchError): The method needs a library that is not there.
    """
    import torch
    from transformers import AutoModelForCausalLM

    more = {"quantization_config": _four_bits(recipe, experiment_id)} if recipe.method == "qlora" else {}
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **more)
    attend_within_rows(model)
    return model if recipe.method == "full" else with_adapter(model, recipe)


def with_adapter(model: Any, recipe: Recipe) -> Any:
    """The model with a fresh LoRA, or DoRA, on every linear layer of its top layers; the base is frozen."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.seed)
    layers = model.config.num_hidden_layers
    first = layers - max(1, round(layers * recipe.lora_top_layers))
    linear = {name.rpartition(".")[2] for name, module in model.model.named_modules() if isinstance(module, torch.nn.Linear)}
    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM", r=recipe.lora_r, lora_alpha=recipe.lora_alpha, lora_dropout=0.0, target_modules=linear,
            use_dora=recipe.method == "dora",
            layers_to_transform=list(range(first, layers)) if first else None,
        ),
    )  # fmt: skip


def without_adapter(model: Any) -> Any:
    """The transformers model inside: that which a PEFT wrapper holds, adapter and all, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _four_bits(recipe: Recipe, experiment_id: str) -> Any:
    """QLoRA's settings (Dettmers et al. 2023): NormalFloat in 4 bits, its scales quantised too."""
    if find_spec("bitsandbytes") is None:
        reason = TrainingDispatchError(experiment_id=experiment_id, error="dependency_missing", blockers=["dependency_missing"])
        next_step = "pip install 'brewslm[qlora]', or --set method=lora."
        raise StageError(reason, "QLoRA can't be trained here", cause="bitsandbytes is not installed", next_step=next_step)
    import torch
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if recipe.multiplies_in_bf16() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )
