"""A model small enough for a test, with everything a real one has: chat template, end mark, pad token, grouped queries."""

import json
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = """a slow lovely film dull boring great awful plot acting the movie was and is not very good bad positive negative
question answer where what how who my your order refund street avenue north main city state zip code {"type": "text"}"""
SPECIAL = {
    "bos_token": "<|im_start|>",
    "eos_token": "<|im_end|>",
    "pad_token": "<|im_end|>",
    "unk_token": "<|endoftext|>",
}


def make_tiny_base(folder: Path) -> Path:
    """What a project needs of its base model: the tokenizer of the tiny model, and a config. Its one weight is of no use."""
    import numpy as np
    from safetensors.numpy import save_file

    tokens = write_tokenizer(folder)
    save_file({"model.embed_tokens.weight": np.zeros((1, 1), np.float32)}, folder / "model.safetensors")
    sizes = {"vocab_size": tokens, "hidden_size": 64, "num_hidden_layers": 2, "max_position_embeddings": 512}
    (folder / "config.json").write_text(
        json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_attention_heads": 4, **sizes})
    )
    return folder


def write_tokenizer(
    folder: Path,
    special: tuple[str, ...] = ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    settings: dict[str, Any] = SPECIAL,
    template: str = CHATML,
) -> int:
    """A byte-level BPE tokenizer with a ChatML template, or another; returns how many tokens it has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([WORDS] * 4, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        **settings,
    }
    (folder / "chat_template.jinja").write_text(template)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return int(tokenizer.get_vocab_size())


def make_tiny_model(folder: Path, layers: int = 2, hidden: int = 64) -> Path:
    """Write config, safetensors and tokenizer with seeded random weights; about 0.2 M parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokens = write_tokenizer(folder)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokens,
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            initializer_range=0.1,  # wide enough that a little training makes it sure of its answers
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
        )
    )
    # The row of the pad token starts as zeros; here it is the end mark too, which could then never be learned.
    torch.nn.init.normal_(model.model.embed_tokens.weight.data[2], std=0.1)
    model.save_pretrained(folder)
    return folder


def make_tiny_encoder(folder: Path, layers: int = 2, hidden: int = 32) -> Path:
    """A BERT-type encoder without a head, with its WordPiece-like marks: config, safetensors and tokenizer, seeded weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(WORDS.split()), *map(str, range(60))]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", words.index("[CLS]")), ("[SEP]", words.index("[SEP]"))]
    )
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **marks).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=2 * hidden,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder
