"""What making an export format needs: packages, and disk."""

from importlib.util import find_spec

_GGUF_NEEDS = {"gguf": "gguf", "llama-cpp-python": "llama_cpp", "xllamacpp": "xllamacpp"}
"""Package → module: one writes, one quantises, one runs the file for its smoke check."""
TOOLCHAINS: dict[str, tuple[str, ...]] = {
    "vllm": ("vllm",),
    "awq": ("llmcompressor", "vllm"),
    "gptq": ("llmcompressor", "vllm"),
}
"""Format → the toolchains that make it and check it: such a format is made when it is asked for by name."""
_BYTES = {
    "hf": 4.0,
    "safetensors-merged": 0.0,  # linked to the weights in `hf`
    "gguf-f16": 2.0,
    "gguf-q8_0": 8.5 / 8,
    "gguf-q4_k_m": 5.0 / 8,  # blocks that don't divide a row are kept at more bits
}
"""Of a parameter, on disk."""


def missing_packages(formats: tuple[str, ...]) -> list[str]:
    """Packages that these formats need and that are not installed."""
    if not any(name.startswith("gguf") for name in formats):
        return []
    return [package for package, module in _GGUF_NEEDS.items() if find_spec(module) is None]


def export_bytes(formats: tuple[str, ...], parameters: int, adapter_bytes: int) -> int:
    """Disk that an export takes while it is made: the merged model in any case, and F16 where a file is quantised from it."""
    made = {"hf", "safetensors-adapter", *formats}
    if any(name.startswith("gguf") for name in formats):
        made.add("gguf-f16")
    return round(sum(_BYTES.get(name, 0.0) for name in made) * parameters) + adapter_bytes
