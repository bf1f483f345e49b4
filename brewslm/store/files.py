"""Files that are whole or not there, inside folders that nothing leads out of."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from brewslm.errors import StageError
from brewslm.reasons.refusals import PathOutsideProject
from brewslm.settings import settings


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, also after a power cut."""
    with new_file(path) as file:
        file.write(data)


def write_all(file: Any, data: bytes) -> None:
    """Write all of it to an unbuffered file, which may take a part at a time, as when its disk fills up."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomic(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return orjson.loads(path.read_bytes())


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to fill, that gets its name only when the block ends well, and then at once and durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, that gets its name only when the block ends well. One that stood there before is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield made
        _settle(made, path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


@contextmanager
def resumed_folder(path: Path) -> Iterator[Path]:
    """As `new_folder`; but what a killed process had put in it is found there again.

    A block that ends with an error takes it away, as there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.parent / f".{path.name}.partial"
    made.mkdir(exist_ok=True)
    try:
        yield made
        _settle(made, path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _settle(made: Path, path: Path) -> None:
    """Give a filled folder its name, durably."""
    for file in made.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    if path.exists():
        shutil.rmtree(path)
    made.rename(path)
    sync_folder(path.parent)


def says_full(error: BaseException) -> bool:
    """Whether an error tells of a full disk: also one of a library that has errors of its own (safetensors)."""
    by_number = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return by_number or os.strerror(errno.ENOSPC) in str(error)


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def confined(root: Path, *parts: str) -> Path:
    """`root/parts`, resolved.

    Raises:
        StageError(PathOutsideProject): A part, or a link on the way, leads out of `root`.
    """
    path = root.joinpath(*parts).resolve()
    if not path.is_relative_to(root.resolve()):
        raise StageError(PathOutsideProject(), where="/".join(parts), cause=f"it leads out of {root.name}")
    return path


def project_folder(project_id: int) -> Path:
    """The folder that holds everything of one project."""
    return settings().home / "projects" / str(project_id)


def run_folder(run_id: str) -> Path:
    """The folder of one run: job.json, trace.jsonl, log.txt, result.json."""
    return settings().home / "runs" / run_id
