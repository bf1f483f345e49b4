"""Base models: where they come from, what they are, and a folder that can be loaded."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.models.architectures.names import ArchitectureName, architecture_of
from brewslm.models.hub_model import fetched, resolved
from brewslm.models.made import MADE, made_folder
from brewslm.models.model_folder import check_files, read_config
from brewslm.models.shape import ModelShape
from brewslm.presets import checked, read_preset
from brewslm.reasons.refusals import BaseModelIncomplete, BaseModelNotFound
from brewslm.settings import settings
from brewslm.store.fetch import package_file
from brewslm.store.files import new_folder, read_json, sha256, write_json
from brewslm.store.locks import lock


class BaseModelInfo(BaseModel):
    """A base model on this machine.

    Attributes:
        tokenizer_sha256: Of its tokenizer.json (of all tokenizer files, where it has none).
        template_sha256: Of its chat template.
        folder: config.json, safetensors and tokenizer, all that `models.loading` needs.
        sha256: Of the GGUF file, or over the names and hashes of the folder's files.
        gguf: The GGUF file it was made from; its tokenizer goes into exports.
        model_class: Its class in transformers, such as "LlamaForCausalLM".
        architecture: How it is trained and asked: see models/architectures/names.py.
        context_length: Tokens; UNBOUNDED where the config names no limit (relative positions, sound).
        licence: As the catalogue or the hub's card says; "" for a folder.
        revision: The commit of the hub; "" for others.
    """

    model_config = ConfigDict(frozen=True)

    locator: str
    name: str
    folder: Path
    sha256: str
    tokenizer_sha256: str
    template_sha256: str
    gguf: Path | None
    model_class: str = ""
    architecture: ArchitectureName = "causal"
    parameters: int
    hidden_size: int
    layers: int
    vocabulary: int
    context_length: int
    licence: str = ""
    note: str = ""
    revision: str = ""


class CatalogueEntry(BaseModel):
    """A base model that is known by name. What is not known for certain is None.

    Attributes:
        parameters: Tied matrices counted once.
        file_bytes: Of its weights as they are fetched.
        inner_size, heads, kv_heads, head_size, tied: See models.shape.
        gated: The hub gives it to accounts that accepted its licence.
        package: With version, sha256 and member (a GGUF file, or the folder of a model), where it comes inside a package.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str
    model_class: str
    architecture: ArchitectureName = "causal"
    parameters: int
    hidden_size: int
    layers: int
    inner_size: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool = True
    context_length: int
    file_bytes: int | None = None
    gated: bool = False
    note: str = ""
    package: str = ""
    version: str = ""
    sha256: str = ""
    member: str = ""

    @property
    def shape(self) -> ModelShape:
        """The sizes of its layers."""
        return ModelShape(
            hidden=self.hidden_size, layers=self.layers, inner=self.inner_size, heads=self.heads, kv_heads=self.kv_heads,
            head_size=self.head_size, vocabulary=self.vocabulary, tied=self.tied,
        )  # fmt: skip


def catalogue() -> dict[str, CatalogueEntry]:
    """Every base model that is known by name, by its locator."""
    return {
        locator: checked(entry, CatalogueEntry, f"models.yaml, {locator}") for locator, entry in read_preset("models").items()
    }


UNTRAINED = "made on the spot from a seed, and untrained: it knows nothing but what it learns from your rows"


def check_locator(locator: str) -> None:
    """Whether there is such a base model, without making it ready. Of `hf:` the hub is asked.

    Raises:
        StageError(BaseModelNotFound): There is not.
        StageError(BaseModelForbidden, BaseModelUnavailable): The hub does not give it.
    """
    if locator.startswith("hf:"):
        resolved(locator)
    elif not _is_made(locator):
        _place(locator)


def _is_made(locator: str) -> bool:
    """Whether it is the locator of a made model.

    Raises:
        StageError(BaseModelNotFound): It is of one that can't be made.
    """
    scheme, _, name = locator.partition(":")
    if scheme == "made" and name not in MADE:
        cause = f"these can be made: {', '.join(f'made:{one}' for one in MADE)}"
        raise StageError(BaseModelNotFound(), where=locator, cause=cause)
    return scheme == "made"


def _place(locator: str) -> Path | None:
    """The path of a `path:` locator; None for one that comes inside a package."""
    scheme, _, rest = locator.partition(":")
    if scheme == "pypi":
        packaged = [name for name in catalogue() if name.startswith("pypi:")]
        if locator not in packaged:
            raise StageError(BaseModelNotFound(), where=locator, cause=f"the catalogue has {', '.join(packaged)}")
        return None
    if scheme != "path" or not rest:
        raise StageError(
            BaseModelNotFound(), where=locator, cause=f"a base model starts with pypi:, hf:, made: or path:, not {scheme}:"
        )
    path = Path(rest).expanduser().resolve()
    if not (path / "config.json").is_file() and not (path.suffix == ".gguf" and path.is_file()):
        cause = "there is no config.json" if path.is_dir() else "there is no such folder"
        raise StageError(BaseModelNotFound(), where=locator, cause=cause)
    return path


def base_model(locator: str) -> BaseModelInfo:
    """Make the base model ready (once), and describe it.

    Args:
        locator: `pypi:<catalogue name>`, `hf:<id>[@revision]`, `path:<folder>` with a config and safetensors, or
            `path:<file>.gguf`; `made:<name>` for one of models/made.

    Raises:
        StageError(BaseModelNotFound): It is not there, or only as pickle, which is never read.
        StageError(BaseModelWrongKind): It is of an architecture that is not trained here.
        StageError(BaseModelIncomplete): One of its files is missing, cut off or can't be read.
        StageError(BaseModelForbidden, BaseModelUnavailable, DiskFull): It could not be fetched from the hub.
        StageError(PackageUnavailable): Its package could not be fetched.
    """
    if _is_made(locator):
        return _from_folder(locator, made_folder(locator.partition(":")[2]), name=locator, note=UNTRAINED)
    if locator.startswith("hf:"):
        found, folder = fetched(locator)
        return _from_folder(found.locator, folder, name=found.id, licence=found.licence, revision=found.commit)
    path = _place(locator)
    if path is None:
        return _from_package(locator)
    if path.suffix == ".gguf" and path.is_file():
        return _from_gguf(locator, path, sha256(path), name=path.stem)
    return _from_folder(locator, path, name=path.name)


def _from_package(locator: str) -> BaseModelInfo:
    entry = catalogue()[locator]
    if not entry.member.endswith(".gguf"):
        return _from_folder(locator, _unpacked(entry), name=entry.name, licence=entry.licence, note=entry.note)
    kept = settings().cache / "models" / entry.sha256[:16]
    gguf = kept / Path(entry.member).name
    if not gguf.exists():
        wheel = package_file(entry.package, entry.version, entry.sha256, "wheel")
        with lock(kept.with_suffix(".lock")), zipfile.ZipFile(wheel) as archive:
            if not gguf.exists():
                with new_folder(kept) as folder:
                    archive.extract(entry.member, folder)
                    (folder / entry.member).rename(folder / gguf.name)
                    (folder / entry.member).parent.rmdir()
    return _from_gguf(locator, gguf, _known_sha256(gguf), name=entry.name, licence=entry.licence, note=entry.note)


def _unpacked(entry: CatalogueEntry) -> Path:
    """The folder of a model inside a package, in our cache."""
    kept = settings().cache / "models" / entry.sha256[:16]
    with lock(kept.with_suffix(".lock")):
        if not kept.exists():
            wheel = package_file(entry.package, entry.version, entry.sha256, "wheel")
            with new_folder(kept) as folder, zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    beside = member.removeprefix(f"{entry.member}/")
                    if beside != member and "/" not in beside and beside:
                        (folder / beside).write_bytes(archive.read(member))
    return kept


def _known_sha256(gguf: Path) -> str:
    """The hash of a file in our own cache, computed once."""
    beside = gguf.with_suffix(".sha256")
    if not beside.exists():
        write_json(beside, sha256(gguf))
    return str(read_json(beside))


def _from_gguf(locator: str, gguf: Path, digest: str, *, name: str, licence: str = "", note: str = "") -> BaseModelInfo:
    folder = settings().cache / "models" / f"{digest[:16]}-fp32"
    with lock(folder.with_suffix(".lock")):
        if not folder.exists():
            with new_folder(folder) as made:
                _convert(gguf, made)
    return _describe(locator, folder, digest, gguf, name, licence, note)


def _convert(gguf: Path, folder: Path) -> None:
    """Dequantise to safetensors, in a process of its own: a server must not keep the memory that this takes."""
    command = [sys.executable, "-m", "brewslm.models.convert", str(gguf), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise StageError(BaseModelNotFound(), f"{gguf.name} can't be read as a model", cause=said[:200])


def _from_folder(
    locator: str, folder: Path, *, name: str, licence: str = "", note: str = "", revision: str = ""
) -> BaseModelInfo:
    read_config(locator, folder)
    weights = check_files(locator, folder)
    digest = hashlib.sha256()
    for file in [*weights, folder / "config.json", *sorted(folder.glob("tokenizer*.json"))]:
        digest.update(f"{file.name}:{sha256(file)}\n".encode())
    return _describe(locator, folder, digest.hexdigest(), None, name, licence, note, revision)


def _describe(
    locator: str, folder: Path, digest: str, gguf: Path | None, name: str, licence: str, note: str = "", revision: str = ""
) -> BaseModelInfo:
    config = read_config(locator, folder)
    architecture = architecture_of(config)
    assert architecture is not None  # read_config refuses others
    try:
        return BaseModelInfo(
            locator=locator, name=name, folder=folder, sha256=digest, tokenizer_sha256=_tokenizer_sha256(folder),
            template_sha256=_template_sha256(folder), gguf=gguf, model_class=config["architectures"][0],
            architecture=architecture, parameters=_parameters(folder), licence=licence, note=note, revision=revision,
            **_sizes(config, architecture),
        )  # fmt: skip
    except KeyError as missing:
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"its config.json has no {missing}") from None


UNBOUNDED = 2**20
"""Tokens: the context of a model whose config names no limit."""
_CALLED = {
    "hidden_size": ("hidden_size", "d_model"),
    "layers": ("num_hidden_layers", "num_layers", "encoder_layers"),
    "vocabulary": ("vocab_size",),
    "context_length": ("max_position_embeddings", "max_target_positions", "n_positions"),
}


def _sizes(config: dict[str, Any], architecture: ArchitectureName) -> dict[str, int]:
    """Sizes by our names for them; each family of models names them otherwise; one with pictures has them of its text."""
    named = config | config.get("text_config", {})
    if architecture != "causal":
        named = {"max_position_embeddings": named.get("n_positions", UNBOUNDED)} | named
    return {ours: named[next((one for one in theirs if one in named), theirs[0])] for ours, theirs in _CALLED.items()}


def _tokenizer_sha256(folder: Path) -> str:
    whole = folder / "tokenizer.json"
    if whole.is_file():
        return sha256(whole)
    parts = (file for file in sorted(folder.iterdir()) if file.name.startswith(("tokenizer", "vocab", "merges", "spiece")))
    return hashlib.sha256("".join(f"{file.name}:{sha256(file)}\n" for file in parts).encode()).hexdigest()


def _template_sha256(folder: Path) -> str:
    file, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    template = file.read_text() if file.is_file() else read_json(config).get("chat_template") if config.is_file() else None
    return hashlib.sha256(str(template or "").encode()).hexdigest()


def _parameters(folder: Path) -> int:
    """Counted from the safetensors headers, without loading a weight."""
    from safetensors import safe_open

    total = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="np") as opened:
            for key in opened.keys():  # noqa: SIM118 - not a dict
                size = 1
                for length in opened.get_slice(key).get_shape():
                    size *= length
                total += size
    return total
