"""`kaggle:competition:<slug>` and `kaggle:dataset:<owner>/<slug>`: a file of Kaggle's, read as a local file is."""

import hashlib
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import PathOutsideProject, SourceNotFound, SourceTooLarge, SourceUnreadable
from brewslm.settings import settings
from brewslm.sources.anyfile import FileConnector
from brewslm.sources.kaggle_api import KaggleReference, Listing, download, is_readable, listing, parsed
from brewslm.sources.textfile import ZIP
from brewslm.sources.unpack import MOST_RATIO, RATIO_FROM
from brewslm.store.files import new_file
from brewslm.store.locks import lock

_SHOWN_FILES = 20
_PIECE_BYTES = 1024 * 1024
_NAME_ONE = "Name one of them with ?file=<name>."


class KaggleConnector(FileConnector):
    """Fetched once through Kaggle's own client, by what Kaggle says of the file, then looked at as `file:` does."""

    scheme = "kaggle"
    grammar = "kaggle:competition:<slug>[?file=<name>], kaggle:dataset:<owner>/<slug>[?file=<name>]"
    meaning = "A file of a Kaggle competition or dataset, with the credentials that Kaggle's own client would take."

    def file(self, reference: str) -> Path:
        """The file, fetched, and unpacked where it is packed. In a zip file, one is named as `?file=data.zip/train.csv`.

        Raises:
            StageError(InvalidRequest): The reference can't be read.
            StageError(PathOutsideProject): The named file, or one in a zip file, leads out of its folder.
            StageError(SourceNotFound): There is no such competition, dataset or file, or several files and none was named.
            StageError(SourceForbidden): It wants credentials, or other ones, or that its rules are accepted.
            StageError(SourceUnavailable): Kaggle can't be reached.
            StageError(SourceUnreadable, SourceTooLarge, SourceEmpty, SourceBinary): The file can't be read.
        """
        asked = parsed(reference)
        if asked.file:
            _confined(asked, asked.file)
        listed = listing(asked)
        name, member = _chosen(asked, listed)
        key = hashlib.sha256(repr((asked.kind, asked.slug, name, listed.versions.get(name))).encode()).hexdigest()[:32]
        folder = settings().cache / "kaggle" / key
        path = folder / PurePosixPath(name).name
        with lock(folder.with_suffix(".lock")):
            if not path.exists():
                with new_file(path) as into:
                    download(asked, name, into)
            if _is_zip(path):
                path = _unzipped(asked, path, member)
            elif member:
                cause = f"{name} is no zip file, and has no {member} in it"
                raise StageError(SourceNotFound(), where=asked.where, cause=cause, next_step=f"Name it as ?file={name}.")
        return super().file(str(path))


def _confined(asked: KaggleReference, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        next_step = "Name a file as Kaggle lists it."
        raise StageError(PathOutsideProject(), where=asked.where, cause="its file leads out of its folder", next_step=next_step)


def _chosen(asked: KaggleReference, listed: Listing) -> tuple[str, str]:
    """The file to fetch, and the member of it that is wanted, or ""."""
    names = list(listed.versions)
    if not asked.file:
        return _only(asked, [name for name in names if is_readable(name)], names), ""
    if asked.file in listed.versions:
        return asked.file, ""
    for packed in names:
        if asked.file.startswith(f"{packed}/"):
            return packed, asked.file.removeprefix(f"{packed}/")
    if not listed.is_whole:  # Kaggle tells its files page by page, and some have a hundred thousand
        return asked.file, ""
    cause = did_you_mean(asked.file, names[:_SHOWN_FILES])
    raise StageError(SourceNotFound(), f"It has no file {asked.file}", where=asked.where, cause=cause, next_step=_NAME_ONE)


def _only(asked: KaggleReference, readable: list[str], names: list[str]) -> str:
    if len(readable) == 1:
        return readable[0]
    shown = readable or names
    more = f" and {len(shown) - _SHOWN_FILES:,} more" if len(shown) > _SHOWN_FILES else ""
    what = "It has several files" if readable else "It has no file of a format that can be read"
    cause = f"its files: {', '.join(shown[:_SHOWN_FILES])}{more}" if shown else "it has no file at all"
    raise StageError(SourceNotFound(), what, where=asked.where, cause=cause, next_step=_NAME_ONE)


def _is_zip(path: Path) -> bool:
    """Whether it is a zip file that holds others, and not a workbook."""
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" not in archive.namelist()
    except zipfile.BadZipFile:
        return False  # it is left to file:, which says so


def _unzipped(asked: KaggleReference, path: Path, member: str) -> Path:
    """The wanted member, else the only one that can be read, in a folder beside the zip file."""
    with zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        for name in names:
            _confined(asked, name)
        if member and member not in names:
            cause = did_you_mean(member, names[:_SHOWN_FILES])
            raise StageError(SourceNotFound(), f"{path.name} has no {member}", where=asked.where, cause=cause)
        chosen = member or _only(asked, [f"{path.name}/{name}" for name in names if is_readable(name)], names)
        chosen = chosen.removeprefix(f"{path.name}/")
        target = path.with_name(f"{path.name}.members") / hashlib.sha256(chosen.encode()).hexdigest()[:16] / Path(chosen).name
        if not target.exists():
            with new_file(target) as into:
                _extract(asked, archive, chosen, into)
    return target


def _extract(asked: KaggleReference, archive: zipfile.ZipFile, name: str, into: IO[bytes]) -> None:
    """As it is read, not as the zip file says: what is too large is stopped on the way."""
    packed = archive.getinfo(name).compress_size
    most = min(settings().unpack_bytes, max(RATIO_FROM, MOST_RATIO * packed))
    try:
        with archive.open(name) as file:
            while piece := file.read(_PIECE_BYTES):
                if into.tell() + len(piece) > most:
                    cause = f"the {packed:,} bytes of {name} unpack to over {most:,}"
                    raise StageError(SourceTooLarge(), where=asked.where, cause=cause)
                into.write(piece)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:  # damaged, or with a password
        cause = f"{name} can't be unpacked: {error}"
        raise StageError(SourceUnreadable(), where=asked.where, cause=cause) from error
