"""One split of a dataset on the Hugging Face Hub, opened through its own libraries; what they raise becomes a problem."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import (
    InvalidRequest,
    SourceForbidden,
    SourceNotFound,
    SourceUnavailable,
    SourceUnreadable,
)
from brewslm.settings import settings

BATCH_ROWS = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}")
_QUERY = re.compile(r"\?[^\s'\">]*")
_BUFFER_BYTES = 1024 * 1024
_BLOCK_BYTES, _BLOCKS = 4 * 1024 * 1024, 8
"""What is kept of a Parquet file: its columns stand one after another, and are read in turn."""
_SUGGESTIONS = 5
_CAUSE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class HubReference:
    """`<id>[:split[:revision]][?config=<name>]`, taken apart; what was left out is empty."""

    id: str
    split: str = ""
    revision: str = ""
    config: str = ""

    @property
    def where(self) -> str:
        """How a problem names it; what else stood in the locator may be a secret."""
        return f"hf:{self.id}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which means the same for ever."""
        return _COMMIT.fullmatch(self.revision) is not None


@dataclass(frozen=True, slots=True)
class Commit:
    """A revision that was resolved.

    Attributes:
        id: The dataset's own id; the one that was asked for may be an old name of it.
        sizes: Of its files, in bytes, by path.
    """

    id: str
    sha: str
    sizes: dict[str, int]


@dataclass(frozen=True, slots=True)
class OpenSplit:
    """A split whose rows can be streamed.

    Attributes:
        rows: A `datasets.IterableDataset`.
        files: Their addresses, as hf://….
        count: Its rows, as the dataset's card tells; None where it does not.
        size: Of its rows as the card tells, else of its files, in bytes; `is_packed` says that it is of its files.
    """

    name: str
    rows: Any
    files: list[str]
    count: int | None
    size: int
    is_packed: bool


def parsed(reference: str) -> HubReference:
    """A reference, taken apart.

    Raises:
        StageError(InvalidRequest): It has no id, or an option that is not `config`.
    """
    body, _, query = reference.partition("?")
    parts = [*body.split(":", 2), "", ""]
    asked = HubReference(id=parts[0], split=parts[1], revision=parts[2])
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not asked.id or options.keys() - {"config"}:
        unknown = next(iter(options.keys() - {"config"}), "")
        cause = f"its option {unknown} is unknown; {did_you_mean(unknown, ['config'])}" if asked.id else "it names no dataset"
        next_step = "Write it as hf:<id>[:split[:revision]][?config=<name>]."
        raise StageError(InvalidRequest(), "The locator can't be read", where=asked.where, cause=cause, next_step=next_step)
    return HubReference(asked.id, asked.split, asked.revision, options.get("config", ""))


def library() -> Any:
    """The `datasets` module, told to be quiet and to count nobody's downloads."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_UPDATE_DOWNLOAD_COUNTS", "0")
    import datasets
    import huggingface_hub

    # the environment is read at import, and another part of this process may have been first
    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    datasets.config.TORCH_AVAILABLE = False  # else a stream imports it, only to ask whether it is a worker of torch's
    datasets.disable_progress_bars()
    huggingface_hub.utils.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    huggingface_hub.logging.set_verbosity_error()
    return datasets


def resolved(asked: HubReference) -> Commit:
    """The commit that is meant, once it is certain that it may be read and that no code would have to run.

    Raises:
        StageError(SourceNotFound, SourceForbidden, SourceUnavailable, SourceUnreadable): It can't be read.
    """
    library()
    from huggingface_hub import HfApi

    with translated(asked):
        api = HfApi()
        found = api.dataset_info(asked.id, revision=asked.revision or None, files_metadata=True, timeout=60)
        if found.gated:
            api.auth_check(found.id, repo_type="dataset")
    sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
    script = f"{found.id.rpartition('/')[2]}.py"
    if script in sizes:
        cause = f"its rows are made by a script of its own, {script}, which is not run here"
        next_step = f"Name the copy that the hub keeps as Parquet: hf:{asked.id}:{asked.split or 'train'}:refs/convert/parquet."
        raise StageError(SourceUnreadable(), where=asked.where, cause=cause, next_step=next_step)
    return Commit(found.id, found.sha or "", sizes)


def opened(asked: HubReference, commit: Commit) -> OpenSplit:
    """The split that is meant: the one that was named, else the only one, else `train`.

    Raises:
        StageError(SourceNotFound): It has no such config or split.
        StageError(SourceForbidden, SourceUnavailable, SourceUnreadable): It can't be read.
    """
    with translated(asked):
        builder = _builder(asked, commit)
        within = f"hf://datasets/{commit.id}@{commit.sha}/"
        files = {name: [str(file) for file in listed] for name, listed in (builder.config.data_files or {}).items()}
        splits = builder.as_streaming_dataset()
    name = asked.split or (next(iter(splits)) if len(splits) == 1 else "train")
    if name not in splits:
        what = f"The dataset has no split {name}" if asked.split else "The dataset has several splits, and none of them is train"
        next_step = f"Name one of them: hf:{asked.id}:<split>."
        raise StageError(SourceNotFound(), what, where=asked.where, cause=did_you_mean(name, splits), next_step=next_step)
    told: Any = (builder.info.splits or {}).get(name)
    listed = files.get(name, [])
    size = sum(commit.sizes.get(file.removeprefix(within), 0) for file in listed)
    count = told.num_examples if told else None
    return OpenSplit(name, splits[name], listed, count or None, (told.num_bytes if count else 0) or size, not count)


def _builder(asked: HubReference, commit: Commit) -> Any:
    """The library's builder of the config.

    Its own cache folder is a private one: when the hub fails it would fall back on whatever stands in the user's.
    """
    datasets = library()
    if commit.id in datasets.packaged_modules._PACKAGED_DATASETS_MODULES:
        raise RuntimeError(f"{commit.id} is the name of a reader of the library")
    path, cache = f"hf://datasets/{commit.id}", str(settings().cache / "hf" / "library")
    try:
        return datasets.load_dataset_builder(path, asked.config or None, revision=commit.sha, cache_dir=cache)
    except ValueError as error:
        configs = datasets.get_dataset_config_names(path, revision=commit.sha, cache_dir=cache)
        if asked.config in configs or not (asked.config or len(configs) > 1):
            raise
        what = f"The dataset has no config {asked.config}" if asked.config else "The dataset has several configs, and no default"
        next_step = f"Name one of them: hf:{asked.id}?config=<name>."
        cause = did_you_mean(asked.config, configs)
        raise StageError(SourceNotFound(), what, where=asked.where, cause=cause, next_step=next_step) from error


def tables(asked: HubReference, split: OpenSplit) -> Iterator[Any]:
    """The split's rows as Arrow tables of at most 1,000, in constant memory; nothing in them is decoded.

    Raises:
        StageError(SourceForbidden, SourceUnavailable, SourceUnreadable): They can't be read.
    """
    files = split.files
    if all(file.endswith(".parquet") for file in files) and files:
        batches = _parquet_tables(files, split.rows.features)
    else:
        batches = iter(split.rows.with_format("arrow").iter(batch_size=BATCH_ROWS))
    while True:
        with translated(asked):
            table = next(batches, None)
        if table is None:
            return
        yield table


def _parquet_tables(files: list[str], features: Any) -> Iterator[Any]:
    """Parquet without the library's own reader, which keeps in memory all that it fetched of a file, and whose threads,
    where only the first rows were wanted, go on and bring the process down at its end (apache/arrow#45214).
    """
    import pyarrow
    import pyarrow.parquet
    from datasets.table import table_cast
    from huggingface_hub import HfFileSystem

    hub = HfFileSystem()
    for file in files:
        cached = {"block_size": _BLOCK_BYTES, "cache_type": "blockcache", "cache_options": {"maxblocks": _BLOCKS}}
        with hub.open(file, "rb", **cached) as opened:
            parquet = pyarrow.parquet.ParquetFile(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
            for batch in parquet.iter_batches(BATCH_ROWS, use_threads=False):
                table = pyarrow.Table.from_batches([batch])
                yield table_cast(table, features.arrow_schema) if features else table


@contextmanager
def translated(asked: HubReference) -> Iterator[None]:
    """What the libraries raise in the block, as a problem. They raise nearly anything, for they read files of any kind."""
    import httpx2
    import pyarrow
    from datasets.exceptions import DatasetsError

    try:
        yield
    except (
        httpx2.HTTPError, pyarrow.ArrowException, DatasetsError,
        ValueError, TypeError, LookupError, AttributeError, RuntimeError, ImportError, OSError,
    ) as error:  # fmt: skip
        raise _problem(error, asked) from error


def _problem(error: BaseException, asked: HubReference) -> StageError:
    import httpx2
    from huggingface_hub import errors

    for link in _chain(error):
        match link:
            case errors.OfflineModeIsEnabled():
                next_step = "Unset HF_HUB_OFFLINE, or name a commit that was read before."
                return StageError(SourceUnavailable(), where=asked.where, cause="HF_HUB_OFFLINE is set", next_step=next_step)
            case errors.HfHubHTTPError():
                return _refused(link, asked)
            case errors.HFValidationError():
                next_step = "Write it as hf:owner/name."
                return StageError(
                    SourceNotFound(), "It is no id of a dataset", where=asked.where, cause=_said(link), next_step=next_step
                )
            case httpx2.RequestError() | ConnectionError() | TimeoutError():
                cause = f"{_host()} can't be reached: {type(link).__name__}"
                return StageError(SourceUnavailable(), where=asked.where, cause=cause)
    next_step = "Look at its files on the hub; a config or a split of it may be readable."
    return StageError(SourceUnreadable(), where=asked.where, cause=_said(error), next_step=next_step)


def _refused(error: Any, asked: HubReference) -> StageError:
    """What an answer of the hub means."""
    from huggingface_hub import errors

    status, has_token = error.response.status_code, bool(_token())
    match error:
        case errors.GatedRepoError():
            cause = f"it is gated (HTTP {status})"
            next_step = "Ask for access on its page" + ("." if has_token else ", and set HF_TOKEN.")
            return StageError(SourceForbidden(), where=asked.where, cause=cause, next_step=next_step)
        case errors.RepositoryNotFoundError():
            cause = "no dataset of this id " + ("may be read with this HF_TOKEN" if has_token else "is public")
            if near := _search(asked):
                cause += f"; {did_you_mean(asked.id, near)}"
            next_step = "Check the id" + ("." if has_token else "; if the dataset is private, set HF_TOKEN.")
            return StageError(
                SourceNotFound(), "The hub has no such dataset", where=asked.where, cause=cause, next_step=next_step
            )
        case errors.RevisionNotFoundError():
            what, known = f"The dataset has no revision {asked.revision}", did_you_mean(asked.revision, _revisions(asked))
            next_step = "Name a branch, a tag or a commit."
            return StageError(SourceNotFound(), what, where=asked.where, cause=known, next_step=next_step)
    cause = f"{_host()} answered HTTP {status}"
    if status in (401, 403):
        next_step = "Check HF_TOKEN." if has_token else "Set HF_TOKEN."
        return StageError(SourceForbidden(), where=asked.where, cause=cause, next_step=next_step)
    reason = SourceUnavailable() if status >= 500 or status == 429 else SourceUnreadable()
    return StageError(reason, where=asked.where, cause=cause)


def _search(asked: HubReference) -> list[str]:
    """Datasets whose ids hold the asked one's last part: for a hint, so that nothing is said when it fails."""
    import httpx2
    from huggingface_hub import HfApi

    with suppress(httpx2.HTTPError, OSError):
        return [found.id for found in HfApi().list_datasets(search=asked.id.rpartition("/")[2], limit=_SUGGESTIONS)]
    return []


def _revisions(asked: HubReference) -> list[str]:
    import httpx2
    from huggingface_hub import HfApi

    with suppress(httpx2.HTTPError, OSError):
        refs = HfApi().list_repo_refs(asked.id, repo_type="dataset")
        return [ref.name for ref in (*refs.branches, *refs.tags)]
    return []


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said(error: BaseException) -> str:
    """The first line of an error, without what may be secret in it: the token, and the queries of signed addresses."""
    line = _QUERY.sub("?…", next(iter(str(error).strip().splitlines()), ""))
    if token := _token():
        line = line.replace(token, "…")
    return f"{type(error).__name__}: {line}"[:_CAUSE_CHARACTERS]


def _token() -> str | None:
    from huggingface_hub import get_token

    token: str | None = get_token()
    return token


def _host() -> str:
    import huggingface_hub

    address = urlsplit(huggingface_hub.constants.ENDPOINT)
    return f"{address.hostname}:{address.port}" if address.port else str(address.hostname)
