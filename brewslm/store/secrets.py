"""Secrets of a project: files that only this user may read, and that go into no bundle and no job."""

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from brewslm.settings import settings
from brewslm.store.files import project_folder, sync_folder

KEY_BYTES = 32
ENDPOINT_KEYS = "BREWSLM_KEY_"
"""What the variables begin with that hold endpoints' keys: a name can't lead to any other variable of the environment."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SECRET_WORDS = frozenset(
    ["apikey", "authorization", "cookie", "credential", "credentials", "passphrase", "passwd", "password", "pwd", "secret"]
)
_SECRET_KEYS = frozenset(["access", "account", "api", "auth", "private", "secret", "signing"])
_TOKENS_OF_TEXT = frozenset(
    [
        "bos",
        "cls",
        "each",
        "end",
        "eos",
        "first",
        "image",
        "last",
        "mask",
        "next",
        "pad",
        "per",
        "sep",
        "special",
        "start",
        "stop",
        "unk",
    ]
)
_SECRET_VARIABLE = re.compile(r"(?:KEY|TOKEN|SECRET|PASS|PASSWD|PASSWORD|PAT|CREDENTIALS?|COOKIE)\Z|\A" + ENDPOINT_KEYS)
_KEPT_ELSEWHERE = ("~/.cache/huggingface/token", "~/.huggingface/token", "~/.kaggle/access_token", "~/.kaggle/kaggle.json")
_SMALL_FILE = 64 * 1024
_RANDOM_LENGTH = 16


def is_secret_name(name: str) -> bool:
    """Whether a secret stands under this name, by its last words: `hf_token`, `apiKey`; not `tokenizer_name`, `max_tokens`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    *before, last = words
    if last == "token":
        return not before or before[-1] not in _TOKENS_OF_TEXT
    return last in _SECRET_WORDS or (last == "key" and bool(before) and before[-1] in _SECRET_KEYS)


def known_secrets(environment: Mapping[str, str] | None = None) -> set[bytes]:
    """Every secret that this home, this user's other tools and this environment are known to hold: to be hidden, never shown.

    Those are the files of all projects' `secrets` folders, variables whose name ends as one of a secret does, and passwords in
    variables that are URLs (a database's, a proxy's).
    """
    found = set(_kept())
    for name, value in (os.environ if environment is None else environment).items():
        if _SECRET_VARIABLE.search(name):
            found.add(value.encode("utf-8", "surrogateescape"))
        found.update(secrets_of_url(value))
    found.add(settings().judge_api_key.get_secret_value().encode())
    found.update(secrets_of_url(settings().resolved_database_url))
    return found - {b""}


def _kept() -> Iterator[bytes]:
    home = settings().home
    files: Iterable[Path] = (*(home / "projects").glob("*/secrets/*"), *(home / "secrets").glob("*"))
    for path in (*files, *(Path(one).expanduser() for one in _KEPT_ELSEWHERE)):
        if path.is_file() and path.stat().st_size <= _SMALL_FILE:
            data = path.read_bytes()
            yield from (one.encode() for one in re.findall(r'"key"\s*:\s*"([^"]+)"', data.decode("latin-1")))
            yield data


def secrets_of_url(url: str) -> Iterator[bytes]:
    """The password (or token) of a URL, as it is and as it is written, and values of its query that may be one."""
    if "://" not in url:
        return
    try:
        parts = urlsplit(url[url.index("://") - len(url.partition("://")[0].rpartition(":")[2]) :])
        user, password = parts.username or "", parts.password or ""
    except ValueError:
        return
    token = user if len(user) >= _RANDOM_LENGTH else ""
    for one in (password or token, *(value for name, value in parse_qsl(parts.query) if _hides(name, value))):
        yield from {one.encode(), unquote(one).encode()} - {b""}


def _hides(name: str, value: str) -> bool:
    return is_secret_name(name) or (len(value) >= _RANDOM_LENGTH and any(map(str.isdigit, value)))


def secret_path(project_id: int, name: str) -> Path:
    """Where a project's secret is, or will be."""
    return project_folder(project_id) / "secrets" / f"{name}.key"


def secret_key(path: Path) -> bytes:
    """The 32 random bytes of a secret, made when they are first asked for; two that ask at once get the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # mode 0600
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
            try:
                os.link(file.name, path)
            except FileExistsError:
                return path.read_bytes()
        sync_folder(path.parent)
    return path.read_bytes()


def endpoint_key(project_id: int, name: str) -> str | None:
    """The key of this name that some endpoint wants: from the environment, or else the project's own; None of neither."""
    said = os.environ.get(ENDPOINT_KEYS + name.upper().replace("-", "_"))
    file = _endpoint_key_path(project_id, name)
    return said or (file.read_text().strip() if file.is_file() else None)


def endpoint_key_names(project_id: int) -> list[str]:
    """The names of the keys that a project keeps or the environment has; never what they are."""
    kept = (path.stem.removeprefix("endpoint-") for path in secret_path(project_id, "").parent.glob("endpoint-*.key"))
    said = (name.removeprefix(ENDPOINT_KEYS).lower().replace("_", "-") for name in os.environ if name.startswith(ENDPOINT_KEYS))
    return sorted({*kept, *said})


def keep_endpoint_key(project_id: int, name: str, key: str) -> None:
    """Keep a key in the project; one of the same name is replaced."""
    path = _endpoint_key_path(project_id, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # mode 0600
        file.write(key.strip().encode())
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
    sync_folder(path.parent)


def _endpoint_key_path(project_id: int, name: str) -> Path:
    return secret_path(project_id, f"endpoint-{name}")
