"""What is asked of Kaggle, through its own client; what that raises becomes a problem."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import parse_qsl

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import InvalidRequest, SourceForbidden, SourceNotFound, SourceUnavailable, SourceUnreadable

_REFERENCE = re.compile(r"(?:(competition):([\w-]+)|(dataset):([\w-]+/[\w-]+))", re.ASCII)
_READABLE = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".gz", ".zst", ".zip")
_PAGE_FILES, _PAGES = 200, 20
_TIMEOUT_SECONDS = (10.0, 60.0)
"""To connect, and for the next bytes: the client itself would wait for ever."""
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KaggleReference:
    """What stands after `kaggle:`, taken apart; `file` is empty where none was named."""

    kind: Literal["competition", "dataset"]
    slug: str
    file: str

    @property
    def where(self) -> str:
        """How a problem names it."""
        return f"kaggle:{self.kind}:{self.slug}"


@dataclass(frozen=True, slots=True)
class Listing:
    """Its files, each with what Kaggle says of its state: when it was made, and its size.

    Attributes:
        is_whole: Whether all of them were asked for; 4,000 are at most.
    """

    versions: dict[str, str]
    is_whole: bool


def parsed(reference: str) -> KaggleReference:
    """A reference, taken apart.

    Raises:
        StageError(InvalidRequest): It is neither a competition nor a dataset, or has an option that is not `file`.
    """
    body, _, query = reference.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    found = _REFERENCE.fullmatch(body)
    if found is None or options.keys() - {"file"}:
        next_step = "Write it as kaggle:competition:<slug>?file=<name> or kaggle:dataset:<owner>/<slug>?file=<name>."
        unknown = next(iter(options.keys() - {"file"}), "")
        cause = f"its option {unknown} is unknown; {did_you_mean(unknown, ['file'])}" if found else "it has another form"
        where = f"kaggle:{body}"
        raise StageError(InvalidRequest(), "The locator can't be read", where=where, cause=cause, next_step=next_step)
    kind: Literal["competition", "dataset"] = "competition" if found[1] else "dataset"
    return KaggleReference(kind, found[2] or found[4], options.get("file", ""))


def is_readable(name: str) -> bool:
    """Whether a file's name is of a format that `file:` can read."""
    return name.lower().endswith(_READABLE)


def listing(asked: KaggleReference) -> Listing:
    """The files of a competition or dataset.

    Raises:
        StageError(SourceNotFound, SourceForbidden, SourceUnavailable, SourceUnreadable): They can't be had.
    """
    versions: dict[str, str] = {}
    token = ""
    with _client(asked) as client:
        for _ in range(_PAGES):
            files, token = _page(client, asked, token)
            versions |= {file.name: f"{file.creation_date} {file.total_bytes}" for file in files}
            if not token:
                break
    return Listing(versions, not token)


def download(asked: KaggleReference, name: str, into: IO[bytes]) -> None:
    """Write a file's content as Kaggle sends it, which for a large one may be a zip file.

    Raises:
        StageError(SourceNotFound, SourceForbidden, SourceUnavailable, SourceUnreadable): It can't be had as a whole.
    """
    with _client(asked) as client:
        for piece in _response(client, asked, name).iter_content(_PIECE_BYTES):
            into.write(piece)


def _page(client: Any, asked: KaggleReference, token: str) -> tuple[list[Any], str]:
    if asked.kind == "competition":
        from kagglesdk.competitions.services.competition_api_service import CompetitionApiClient
        from kagglesdk.competitions.types.competition_api_service import ApiListDataFilesRequest

        request = ApiListDataFilesRequest()
        request.competition_name, request.page_size, request.page_token = asked.slug, _PAGE_FILES, token
        found = CompetitionApiClient(client).list_data_files(request)
        return found.files, found.next_page_token or ""
    from kagglesdk.datasets.services.dataset_api_service import DatasetApiClient
    from kagglesdk.datasets.types.dataset_api_service import ApiListDatasetFilesRequest

    wanted = ApiListDatasetFilesRequest()
    wanted.owner_slug, _, wanted.dataset_slug = asked.slug.partition("/")
    wanted.page_size, wanted.page_token = _PAGE_FILES, token
    listed = DatasetApiClient(client).list_dataset_files(wanted)
    return listed.dataset_files, listed.next_page_token or ""


def _response(client: Any, asked: KaggleReference, name: str) -> Any:
    """The answer whose body is the file; Kaggle sends the client on to its storage, where no credentials go."""
    if asked.kind == "competition":
        from kagglesdk.competitions.services.competition_api_service import CompetitionApiClient
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFileRequest

        request = ApiDownloadDataFileRequest()
        request.competition_name, request.file_name = asked.slug, name
        return CompetitionApiClient(client).download_data_file(request)
    from kagglesdk.datasets.services.dataset_api_service import DatasetApiClient
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    wanted = ApiDownloadDatasetRequest()
    wanted.owner_slug, _, wanted.dataset_slug = asked.slug.partition("/")
    wanted.file_name = name
    return DatasetApiClient(client).download_dataset(wanted)


@contextmanager
def _client(asked: KaggleReference) -> Iterator[Any]:
    """Kaggle's HTTP client, with credentials where there are some. KAGGLE_API_ENVIRONMENT is what points it elsewhere."""
    from kagglesdk.kaggle_http_client import KaggleHttpClient
    from requests.adapters import HTTPAdapter

    class Patient(HTTPAdapter):  # type: ignore[misc]
        def send(self, *arguments: Any, **more: Any) -> Any:
            return super().send(*arguments, **(more | {"timeout": _TIMEOUT_SECONDS}))

    if asked.kind == "competition" and not _has_credentials():
        raise StageError(SourceForbidden(), where=asked.where, cause="there are no Kaggle credentials", next_step=_SET)
    name, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    with _translated(asked), KaggleHttpClient(username=name, password=key, user_agent="brewslm") as client:
        for scheme in ("https://", "http://"):
            client._session.mount(scheme, Patient())
        yield client


_SET = "Set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, or put kaggle.json into ~/.kaggle."


def _has_credentials() -> bool:
    from kagglesdk import get_access_token_from_env

    named = os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")
    return bool(named or get_access_token_from_env()[0] or Path("~/.kaggle/kaggle.json").expanduser().exists())


@contextmanager
def _translated(asked: KaggleReference) -> Iterator[None]:
    """What the client raises in the block, as a problem. Its own texts are not shown: they hold signed addresses."""
    import requests

    try:
        yield
    except requests.HTTPError as error:
        raise _refused(error.response.status_code, asked) from error
    except requests.RequestException as error:
        cause = f"it can't be reached, or broke off: {type(error).__name__}"
        raise StageError(SourceUnavailable(), where=asked.where, cause=cause) from error
    except (ValueError, TypeError, LookupError) as error:
        cause = f"its answer can't be read: {type(error).__name__}"
        raise StageError(SourceUnreadable(), where=asked.where, cause=cause) from error


def _refused(status: int, asked: KaggleReference) -> StageError:
    cause = f"Kaggle answered HTTP {status}"
    if status in (401, 403):
        rules = f"Accept its rules at kaggle.com/c/{asked.slug}/rules, and check the credentials."
        known = (
            rules if asked.kind == "competition" else "Check the Kaggle credentials, and that it is public or shared with them."
        )
        return StageError(SourceForbidden(), where=asked.where, cause=cause, next_step=known if _has_credentials() else _SET)
    if status == 404:
        what = f"Kaggle has no such {asked.kind}" + (", or not this file" if asked.file else "")
        next_step = f"Check its address on Kaggle: {asked.slug}."
        return StageError(SourceNotFound(), what, where=asked.where, cause=cause, next_step=next_step)
    reason = SourceUnavailable() if status >= 500 or status == 429 else SourceUnreadable()
    return StageError(reason, where=asked.where, cause=cause)
