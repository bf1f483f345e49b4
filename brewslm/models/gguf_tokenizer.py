"""A tokenizer inside a GGUF file: copied from the base's own, or converted from tokenizer.json."""

from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import GgufUnsupported
from brewslm.store.files import read_json

_OURS = ("tokenizer.chat_template", "tokenizer.ggml.eot_token_id")
"""Keys that the writer adds itself, for every model."""
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_DIGITS = {"type": "Digits", "individual_digits": True}
_QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_PRE_TOKENIZERS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("smollm", [_DIGITS, _BYTE_LEVEL]),
    ("gpt-2", [_BYTE_LEVEL]),
    (
        "qwen2",
        [
            {"type": "Split", "pattern": {"Regex": _QWEN}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
        ],
    ),
)
"""llama.cpp's name for each way of cutting text before merging."""


def copy_tokenizer(writer: Any, source: Path, vocabulary: int) -> None:
    """Copy every tokenizer key of another GGUF file.

    Raises:
        StageError(GgufUnsupported): It has another number of tokens than the model.
    """
    import gguf

    for key, field in gguf.GGUFReader(source).fields.items():
        if not key.startswith("tokenizer.") or key in _OURS:
            continue
        value = field.contents()
        if key == "tokenizer.ggml.tokens" and len(value) != vocabulary:
            raise _refused(f"{source.name} has {len(value)} tokens, the model {vocabulary}")
        if field.types[0] is gguf.GGUFValueType.ARRAY:
            writer.add_key_value(key, value, field.types[0], sub_type=field.types[-1])
        else:
            writer.add_key_value(key, value, field.types[0])


def write_tokenizer(writer: Any, folder: Path, vocabulary: int) -> None:
    """Convert a byte-level BPE tokenizer.

    Raises:
        StageError(GgufUnsupported): It is of another kind, and would tokenise otherwise than in training.
    """
    tokenizer, settings = read_json(folder / "tokenizer.json"), read_json(folder / "tokenizer_config.json")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre_tokenizer(tokenizer))
    tokens, types = _tokens(tokenizer, vocabulary)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    # Special tokens come from the chat template alone; a second <bos> would shift every position.
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    adders = {
        "bos": writer.add_bos_token_id,
        "eos": writer.add_eos_token_id,
        "unk": writer.add_unk_token_id,
        "pad": writer.add_pad_token_id,
    }
    for role, add in adders.items():
        content = settings.get(f"{role}_token")
        content = content["content"] if isinstance(content, dict) else content
        if content in tokens:
            add(tokens.index(content))


def check_tokenizer(folder: Path) -> None:
    """Whether the tokenizer of a folder can be converted.

    Raises:
        StageError(GgufUnsupported): It is of another kind, and would tokenise otherwise than in training.
    """
    if not (folder / "tokenizer.json").is_file():
        raise _refused("there is no tokenizer.json")
    _pre_tokenizer(read_json(folder / "tokenizer.json"))


def _pre_tokenizer(tokenizer: dict[str, Any]) -> str:
    model, cut = tokenizer["model"], tokenizer.get("pre_tokenizer") or {}
    # Qwen composes characters (NFC) first; llama.cpp does not, nor does its own converter ask: texts are nearly always composed.
    normalised = tokenizer.get("normalizer") not in (None, {"type": "NFC"} if _is_qwen(cut) else None)
    if model["type"] != "BPE" or model.get("byte_fallback") or model.get("ignore_merges") or normalised:
        raise _refused(f"it is {model['type']} with a normaliser or fallback, not a plain byte-level BPE")
    steps = cut.get("pretokenizers", [cut])
    for name, wanted in _PRE_TOKENIZERS:
        if len(steps) == len(wanted) and all(
            step.get(key) == value for step, want in zip(steps, wanted, strict=True) for key, value in want.items()
        ):
            return name
    kinds = " + ".join(str(step.get("type")) for step in steps)
    raise _refused(f"its pre-tokenizer {kinds} is not one that llama.cpp is known to cut alike")


def _is_qwen(cut: dict[str, Any]) -> bool:
    return any(step.get("pattern") == {"Regex": _QWEN} for step in cut.get("pretokenizers", ()))


def _tokens(tokenizer: dict[str, Any], vocabulary: int) -> tuple[list[str], list[int]]:
    """Every token by id, and its GGUF type; ids that the model has but the tokenizer has not are marked unused."""
    import gguf

    kind = gguf.TokenType
    tokens, types = [f"[PAD{place}]" for place in range(vocabulary)], [int(kind.UNUSED)] * vocabulary
    for text, place in tokenizer["model"]["vocab"].items():
        tokens[place], types[place] = text, int(kind.NORMAL)
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        types[added["id"]] = int(kind.CONTROL if added["special"] else kind.USER_DEFINED)
    return tokens, types


def _refused(cause: str) -> StageError:
    return StageError(GgufUnsupported(), "This tokenizer can't be written as GGUF", where="tokenizer.json", cause=cause)
