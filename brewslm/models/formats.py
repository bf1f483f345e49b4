"""Every export format, in order: how it is made, what that needs, what it is possible for, and what it weighs.

A new format is a line here, and the function that makes it in `stages/export/makers.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from brewslm.errors import StageError
from brewslm.models.four_bit import unquantisable
from brewslm.models.gguf_tokenizer import check_tokenizer
from brewslm.models.gguf_writer import check_writable
from brewslm.models.vllm_model import unrunnable
from brewslm.reasons.refusals import InvalidRequest

ADAPTER_FORMAT = "safetensors-adapter"
MERGED = "hf"
"""The adapter merged into its base: every other format but the adapter is made of it."""
_GGUF_NEEDS = {"gguf": "gguf", "llama-cpp-python": "llama_cpp", "xllamacpp": "xllamacpp"}
"""Package → module: one writes, one quantises, one serves the file."""


@dataclass(frozen=True)
class Format:
    """One export format.

    Attributes:
        name: As a person asks for it, and its folder in a bundle.
        maker: The function that makes it: a key of `stages.export.makers.MAKERS`.
        bytes_per_weight: On disk; 0 where the file is a link to one that counts already.
        quantization: Its quantization variant; None where the weights keep their precision.
        made_from: The format that it is made of, which is made first and kept only if it is wanted too.
        group: What names it together with its like, such as "gguf".
        packages: Package → module that must be installed beside us.
        toolchains: Names of those that it is made and run with; such a format is made only when it is named itself.
        causal: Only a causal model can have it.
        adapter: Only an experiment that trained an adapter has it.
        default: It is made when no format is named.
        rounds_much: It has fewer than eight bits a weight: it is promoted only when its own answers were measured.
    """

    name: str
    maker: str
    bytes_per_weight: float
    quantization: str | None = None
    made_from: str | None = MERGED
    group: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    toolchains: tuple[str, ...] = ()
    causal: bool = False
    adapter: bool = False
    default: bool = True
    rounds_much: bool = False


def _gguf(variant: str, bits: float, *, default: bool = False) -> Format:
    source = MERGED if variant == "f16" else "gguf-f16"
    return Format(
        f"gguf-{variant}", "gguf", bits / 8, quantization=variant, made_from=source, group="gguf", packages=_GGUF_NEEDS,
        causal=True, default=default, rounds_much=bits < 8,
    )  # fmt: skip


def _four_bit(method: str) -> Format:
    """Four bits and its group's scale; what stays in bf16, such as the embeddings of a small model, weighs more than that."""
    return Format(
        method, "quantised", 1.0, quantization=method, toolchains=("llmcompressor", "vllm"), causal=True, default=False,
        rounds_much=True,
    )  # fmt: skip


TABLE: tuple[Format, ...] = (
    Format(MERGED, "merged", 4.0, made_from=None),
    Format(ADAPTER_FORMAT, "adapter", 0.0, group="safetensors", adapter=True),
    Format("safetensors-merged", "weights", 0.0, group="safetensors"),
    _gguf("f16", 16.0, default=True),
    _gguf("q8_0", 8.5, default=True),
    # Blocks of 256 don't divide the rows of small models: there llama.cpp takes types of more bits, hence the room.
    _gguf("q6_k", 7.5),
    _gguf("q5_k_m", 6.5),
    _gguf("q4_k_m", 5.5, default=True),
    _gguf("q4_0", 5.0),
    Format("vllm", "vllm", 0.0, toolchains=("vllm",), causal=True, default=False),
    _four_bit("awq"),
    _four_bit("gptq"),
)
BY_NAME = {one.name: one for one in TABLE}
FORMATS = tuple(BY_NAME)
"""All that there are, in the order in which they are made."""
DEFAULT_FORMATS = tuple(one.name for one in TABLE if one.default)
ALL = "all"


def groups() -> dict[str, tuple[str, ...]]:
    """Names that stand for several formats: "all", which is those that need no toolchain, and those of the groups."""
    named = {one.group for one in TABLE if one.group}
    own = tuple(one.name for one in TABLE if not one.toolchains)
    return {ALL: own} | {group: tuple(one.name for one in TABLE if one.group == group) for group in sorted(named)}


def checked_formats(wanted: Sequence[str]) -> tuple[str, ...]:
    """The formats in our order, each once; a group's name stands for all in it.

    Raises:
        StageError(InvalidRequest): One of them is not known, or there is none.
    """
    known = groups()
    chosen: set[str] = set()
    for name in wanted:
        if name not in BY_NAME and name not in known:
            close = get_close_matches(name, [*FORMATS, *known], 1, cutoff=0.4)
            hint = f"; did you mean {close[0]}?" if close else ""
            cause = f"known: {', '.join(FORMATS)}, and for several {', '.join(known)}{hint}"
            raise StageError(InvalidRequest(), f"format {name} is not known", cause=cause)
        chosen |= set(known.get(name, (name,)))
    if not wanted:
        raise StageError(InvalidRequest(), "no format is named", cause=f"known: {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in chosen)


def rounds_much(name: str) -> bool:
    """Whether a variant has so few bits a weight that what it was rounded from says little of how well it answers."""
    return name in BY_NAME and BY_NAME[name].rounds_much


def is_asked(wanted: Sequence[str], name: str) -> bool:
    """Whether a person named this very format, rather than a group that it belongs to, or none at all."""
    return tuple(wanted) != DEFAULT_FORMATS and name in wanted


def impossible(
    name: str, architecture: str, *, whole: bool, folder: Path | None = None, tokenizer_from: Path | None = None
) -> str | None:
    """Why a model can't have this format; None when it can.

    Args:
        architecture: Of the base: "causal", "encoder" and so on.
        whole: Every weight was trained, so that no adapter stands beside its base.
        folder: The base's, whose config and tokenizer must be such as can be written.
        tokenizer_from: A GGUF file whose tokenizer is copied in the place of that one.
    """
    one = BY_NAME[name]
    if one.causal and architecture != "causal":
        return f"the base is of architecture {architecture}"
    if one.adapter and whole:
        return "every weight was trained: there is no adapter beside its base"
    if "vllm" in one.toolchains and folder is not None:
        return unrunnable(folder) or (unquantisable(folder) if one.quantization else None)
    if one.maker == "gguf" and folder is not None:
        try:
            check_writable(folder)
            if tokenizer_from is None:
                check_tokenizer(folder)
        except StageError as refused:
            return refused.cause
    return None


def with_sources(formats: Sequence[str]) -> tuple[str, ...]:
    """These formats and those that they are made of, in the order in which they are made."""
    needed = {MERGED, *formats}
    for one in reversed(TABLE):
        if one.name in needed and one.made_from is not None:
            needed.add(one.made_from)
    return tuple(name for name in FORMATS if name in needed)


def missing_packages(formats: Sequence[str]) -> list[str]:
    """Packages that these formats need and that are not installed."""
    needed = {package: module for name in formats for package, module in BY_NAME[name].packages.items()}
    return [package for package, module in needed.items() if find_spec(module) is None]


def needed_toolchains(formats: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Toolchain → the formats among these that need it."""
    named = dict.fromkeys(toolchain for name in formats for toolchain in BY_NAME[name].toolchains)
    return {toolchain: tuple(name for name in formats if toolchain in BY_NAME[name].toolchains) for toolchain in named}


def export_bytes(formats: Sequence[str], parameters: int, adapter_bytes: int) -> int:
    """Disk that an export takes while it is made: with the formats that the wanted ones are made of."""
    weights = sum(BY_NAME[name].bytes_per_weight for name in with_sources(formats))
    return round(weights * parameters) + adapter_bytes
