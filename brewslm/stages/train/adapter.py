"""What of a model is trained: an adapter on its linear layers."""

from typing import Any

from brewslm.models.recipe import Recipe


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
