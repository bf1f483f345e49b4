"""`hf:<id>[@revision]`: a base model of the Hugging Face Hub, fetched once and kept by the commit that was meant."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.model_folder import TOKENIZER_FILES
from brewslm.reasons.refusals import BaseModelForbidden, BaseModelNotFound, BaseModelUnavailable, DiskFull
from brewslm.settings import settings
from brewslm.store.files import read_json, sync_folder, write_json
from brewslm.store.locks import lock

_COMMIT = re.compile(r"[0-9a-f]{40}")
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_BESIDE = (
    "config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "merges.txt", "preprocessor_config.json", "processor_config.json", "chat_template.jinja",
    *TOKENIZER_FILES,
)  # fmt: skip
"""What is fetched beside the weights. Nothing that is code, nothing that is pickled, and no second copy of the weights."""
ABOUT = ".brewslm.json"
"""In the folder: what the hub said of the model."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of the hub at one commit. `sizes` are its files that are wanted, in bytes."""

    id: str
    commit: str
    licence: str
    sizes: dict[str, int]

    @property
    def locator(self) -> str:
        """Which means the same for ever."""
        return f"hf:{self.id}@{self.commit}"


def parsed(locator: str) -> tuple[str, str]:
    """Id and revision; "" where none is named."""
    model, _, revision = locator.removeprefix("hf:").partition("@")
    return model, revision


def resolved(locator: str) -> HubModel:
    """The commit that is meant, and that it can be used: asked of the hub, nothing is fetched.

    Raises:
        StageError(BaseModelNotFound): There is no such model or revision, or it has no safetensors.
        StageError(BaseModelForbidden): It wants a token, or another one.
        StageError(BaseModelUnavailable): The hub can't be reached.
    """
    model, revision = parsed(locator)
    with _translated(locator):
        from huggingface_hub import HfApi

        found = HfApi().model_info(model, revision=revision or None, files_metadata=True, timeout=60)
        if found.gated:
            HfApi().auth_check(found.id)
    every = {file.rfilename: file.size or 0 for file in found.siblings or []}
    if not any(map(_WEIGHTS.fullmatch, every)):
        pickled = any(name.endswith((".bin", ".pt", ".pth")) for name in every)
        cause = "its weights are pickle files, which can run code and are never fetched" if pickled else "it has no safetensors"
        next_step = "Look on its page for a revision or a copy with safetensors."
        raise StageError(BaseModelNotFound(), where=locator, cause=cause, next_step=next_step)
    wanted = {name: size for name, size in every.items() if name in _BESIDE or _WEIGHTS.fullmatch(name)}
    licence = (found.card_data.to_dict() if found.card_data else {}).get("license") or ""
    return HubModel(found.id, found.sha or "", str(licence), wanted)


def fetched(locator: str) -> tuple[HubModel, Path]:
    """The model's folder. A commit that was fetched before needs no hub.

    Raises:
        StageError: As `resolved`; and DiskFull.
    """
    model, revision = parsed(locator)
    if _COMMIT.fullmatch(revision) and (kept := _folder(model, revision)).is_dir():
        return HubModel(**read_json(kept / ABOUT)), kept
    found = resolved(locator)
    folder = _folder(found.id, found.commit)
    with lock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _fetch(locator, found, folder)
    return found, folder


def _folder(model: str, commit: str) -> Path:
    return settings().cache / "models" / "hf" / f"{model.replace('/', '--')}@{commit}"


def _fetch(locator: str, found: HubModel, folder: Path) -> None:
    """Into a folder beside it, where a fetch that was broken off goes on; it gets its name when all is there."""
    part, needed = folder.with_name(f".{folder.name}"), sum(found.sizes.values())
    part.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(part).free + sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
    if needed > free:
        cause = f"it takes {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free"
        raise StageError(DiskFull(), "The base model does not fit on this disk", where=locator, cause=cause)
    with _translated(locator):
        from huggingface_hub import snapshot_download

        snapshot_download(found.id, revision=found.commit, local_dir=part, allow_patterns=list(found.sizes), max_workers=2)
    shutil.rmtree(part / ".cache", ignore_errors=True)
    write_json(part / ABOUT, {"id": found.id, "commit": found.commit, "licence": found.licence, "sizes": found.sizes})
    part.rename(folder)
    sync_folder(folder.parent)


@contextmanager
def _translated(locator: str) -> Iterator[None]:
    """What the hub's client raises in the block, as a problem."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import httpx2
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        next_step = "Unset HF_HUB_OFFLINE, or name a commit that was fetched before: hf:<id>@<commit>."
        raise StageError(BaseModelUnavailable(), where=locator, cause="HF_HUB_OFFLINE is set", next_step=next_step) from error
    except errors.HFValidationError as error:
        raise StageError(BaseModelNotFound(), where=locator, cause="it is no id of a model: hf:owner/name") from error
    except errors.HfHubHTTPError as error:
        raise _refused(error, locator) from error
    except (httpx2.RequestError, ConnectionError, TimeoutError) as error:
        cause = f"{constants.ENDPOINT} can't be reached: {type(error).__name__}"
        raise StageError(BaseModelUnavailable(), where=locator, cause=cause) from error


def _refused(error: Any, locator: str) -> StageError:
    from huggingface_hub import errors, get_token

    status, model = error.response.status_code, parsed(locator)
    match error:
        case errors.GatedRepoError():
            return StageError(BaseModelForbidden(), where=locator, cause=f"it is gated (HTTP {status})")
        case errors.RevisionNotFoundError():
            cause = f"it has no revision {model[1]}"
            return StageError(BaseModelNotFound(), where=locator, cause=cause, next_step="Name a branch, a tag or a commit.")
        case errors.RepositoryNotFoundError():
            cause = "no model of this id " + ("may be read with this HF_TOKEN" if get_token() else "is public")
            next_step = "Check the id" + ("." if get_token() else "; if it is private, set HF_TOKEN.")
            return StageError(BaseModelNotFound(), where=locator, cause=cause, next_step=next_step)
    reason = BaseModelForbidden() if status in (401, 403) else BaseModelUnavailable()
    return StageError(reason, where=locator, cause=f"the hub answered HTTP {status}")
