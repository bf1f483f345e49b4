"""One split of a dataset on the Hugging Face Hub, opened through its own libraries; what they raise becomes a problem."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import SourceNotFound, SourceUnreadable
from brewslm.settings import settings
from brewslm.sources.hub_problems import HubReference, translated

BATCH_ROWS = 1000
_BUFFER_BYTES = 1024 * 1024
_BLOCK_BYTES, _BLOCKS = 4 * 1024 * 1024, 8
"""What is kept of a Parquet file: its columns stand one after another, and are read in turn."""
_CARDS = ("README.md", ".huggingface.yaml")
_OUTSIDE = re.compile(r"/|(?!hf://datasets/)[\w+.-]+://|.*::")


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
        _check_cards(asked, commit)
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


def _check_cards(asked: HubReference, commit: Commit) -> None:
    """Refuse cards that name files elsewhere: the library would go and look there, in this network too, before it refuses."""
    import yaml
    from huggingface_hub import hf_hub_download

    for name in _CARDS:
        if name not in commit.sizes:
            continue
        text = Path(hf_hub_download(commit.id, name, repo_type="dataset", revision=commit.sha)).read_text("utf-8")
        head = re.match(r"\s*---\r?\n(.*?)\r?\n---", text, re.DOTALL)
        told = yaml.safe_load(text if name.endswith(".yaml") else head[1] if head else "")
        if isinstance(told, dict) and any(map(_OUTSIDE.match, _texts(told.get("configs")))):
            cause = f"its {name} names a file that stands outside of it"
            next_step = "Name that file itself, if you trust it."
            raise StageError(SourceUnreadable(), where=asked.where, cause=cause, next_step=next_step)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _texts(inside)


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
