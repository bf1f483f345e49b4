"""How a dataset of the hub is named, and what can go wrong with it."""

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

_COMMIT = re.compile(r"[0-9a-f]{40}")
_QUERY = re.compile(r"\?[^\s'\">]*")
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
    """The beginning of an error, without what may be secret in it: the token, and the queries of signed addresses."""
    line = _QUERY.sub("?…", " ".join(str(error).split()))
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
