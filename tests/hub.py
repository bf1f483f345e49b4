"""A hub of ours on loopback: it speaks what `datasets` and `huggingface_hub` ask of a hub, and writes down who asked for what."""

import hashlib
import io
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml

TOKEN = "hf_loopbackSecretThatMustNotBeSeen"
_API = re.compile(
    r"^/api/(?:datasets|models)/(?P<id>.+?)(?:/(?P<verb>revision|refs|tree|paths-info|auth-check)(?:/(?P<rest>.*))?)?$"
)
_RESOLVE = re.compile(r"^/(?:datasets/)?(?P<id>.+?)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$")
_FAULTS = {"RepoNotFound": 404, "RevisionNotFound": 404, "EntryNotFound": 404}


@dataclass
class Repository:
    """A repository of a dataset or a model. `commits` are its files by commit, `refs` its branches and tags."""

    id: str
    private: bool = False
    gated: bool = False
    elsewhere: "Hub | None" = None
    """A second server that has the files' content, and that this one sends there for it, as the hub does with its CDN."""
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        """Add a commit; returns its name."""
        digest = hashlib.sha1(self.id.encode())
        for path, content in sorted(files.items()):
            digest.update(path.encode() + hashlib.sha1(content).digest())
        self.commits[digest.hexdigest()] = files
        self.refs[ref] = digest.hexdigest()
        return digest.hexdigest()


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    authorization: str | None
    status: int


@dataclass
class Hub:
    """The server. `aliases` are ids that moved: they are redirected, as the hub does."""

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    """Bytes of content."""
    broken: bool = False
    """Whether it answers 500 to everything."""

    def repository(self, repository_id: str, files: dict[str, bytes], **more: Any) -> Repository:
        """Add a repository with one commit."""
        made = Repository(repository_id, **more)
        made.commit(files)
        self.repositories[repository_id] = made
        return made

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def environment(self, folder: Path) -> dict[str, str]:
        """What a child process is told, so that it asks this hub and keeps its files in `folder`."""
        return {"HF_ENDPOINT": self.url, "HF_HOME": str(folder / "hf"), "BREWSLM_CACHE": str(folder / "cache")}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Nothing: what was asked stands in `Hub.asked`."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, query = unquote(urlsplit(self.path).path), parse_qs(urlsplit(self.path).query)
        if self.hub.broken:
            self._send(500, b"out of order")
        elif path == "/api/datasets":
            word = query.get("search", [""])[0]
            self._json(
                [{"id": one.id, "_id": one.id} for one in self.hub.repositories.values() if word in one.id and not one.private]
            )
        elif asked := _API.match(path):
            self._api(asked, path, query, body)
        elif asked := _RESOLVE.match(path):
            self._file(asked, path)
        elif content := self.hub.blobs.get(path.removeprefix("/blobs/")):
            self._content(content, {"ETag": path})
        else:
            self._send(404, b"no such page")

    def _api(self, asked: re.Match[str], path: str, query: dict[str, list[str]], body: bytes) -> None:
        repository = self._repository(asked["id"], path)
        if repository is None:
            return None
        verb, rest = asked["verb"], asked["rest"] or ""
        if verb == "auth-check":
            return self._gated(repository) or self._json({})
        if verb == "refs":
            branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": sha} for n, sha in repository.refs.items()]
            return self._json({"branches": branches, "converts": [], "tags": []})
        revision, _, folder = (rest or "main").partition("/")
        commit = self._commit(repository, rest if verb == "revision" else revision)
        if commit is None:
            return None
        files = repository.commits[commit]
        if verb == "tree":
            return self._tree(files, folder.strip("/"), "true" in str(query.get("recursive")).lower())
        if verb == "paths-info":
            wanted = parse_qs(body.decode())["paths"]
            found = [entry for entry in _entries(files, "", recursive=True) if entry["path"] in wanted]
            return self._json(found)
        siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
        about = {"id": repository.id, "_id": repository.id, "sha": commit, "private": repository.private}
        return self._json(about | {"gated": "auto" if repository.gated else False, "tags": [], "siblings": siblings})

    def _tree(self, files: dict[str, bytes], folder: str, recursive: bool) -> None:
        found = _entries(files, folder, recursive=recursive)
        return self._json(found) if found or not folder else self._fault("EntryNotFound")

    def _file(self, asked: re.Match[str], path: str) -> None:
        repository = self._repository(asked["id"], path)
        if repository is None or self._gated(repository):
            return None
        commit = self._commit(repository, asked["revision"])
        if commit is None:
            return None
        content = repository.commits[commit].get(asked["path"])
        if content is None:
            return self._fault("EntryNotFound", {"X-Repo-Commit": commit})
        digest = hashlib.sha1(content).hexdigest()
        if repository.elsewhere is not None:
            repository.elsewhere.blobs[digest] = content
            linked = {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(content)), "X-Repo-Commit": commit}
            return self._send(302, b"", linked | {"Location": f"{repository.elsewhere.url}/blobs/{digest}"})
        return self._content(content, {"ETag": f'"{digest}"', "X-Repo-Commit": commit})

    def _content(self, content: bytes, headers: dict[str, str]) -> None:
        headers |= {"Accept-Ranges": "bytes"}
        part = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if part is None:
            return self._send(200, content, headers)
        start, end = int(part[1]), min(int(part[2] or len(content) - 1), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        return self._send(206, content[start : end + 1], headers)

    def _repository(self, repository_id: str, path: str) -> Repository | None:
        """The repository of this id; None when it was answered already: it moved, or is not for the one who asks."""
        if moved := self.hub.aliases.get(repository_id):
            target = path.replace(f"datasets/{repository_id}", f"datasets/{moved}", 1)
            query = urlsplit(self.path).query
            self._send(307, b"", {"Location": target + (f"?{query}" if query else "")})
            return None
        found = self.hub.repositories.get(repository_id)
        if found is None or (found.private and not self._is_known()):
            self._fault("RepoNotFound", status=404 if self._is_known() else 401)
            return None
        return found

    def _is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _gated(self, repository: Repository) -> bool:
        if repository.gated and not self._is_known():
            self._fault("GatedRepo", status=401)
            return True
        return False

    def _commit(self, repository: Repository, revision: str) -> str | None:
        commit = repository.refs.get(revision, revision)
        if commit in repository.commits:
            return commit
        self._fault("RevisionNotFound")
        return None

    def _fault(self, code: str, headers: dict[str, str] | None = None, status: int | None = None) -> None:
        self._send(status or _FAULTS[code], b"{}", {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})})

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.hub.asked.append(Asked(self.command, self.path, self.headers.get("Authorization"), status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            self.hub.sent += len(content)


def _entries(files: dict[str, bytes], folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """The files and folders of a folder, as the hub lists them."""
    prefix = f"{folder}/" if folder else ""
    found: dict[str, dict[str, Any]] = {}
    for path, content in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        steps = path.removeprefix(prefix).split("/")
        for depth in range(1, len(steps)):
            if recursive or depth == 1:
                inner = prefix + "/".join(steps[:depth])
                found[inner] = {"type": "directory", "oid": hashlib.sha1(inner.encode()).hexdigest(), "size": 0, "path": inner}
        if recursive or len(steps) == 1:
            oid = hashlib.sha1(content).hexdigest()
            found[path] = {"type": "file", "oid": oid, "size": len(content), "path": path}
    return list(found.values())


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that answers until the end of the block."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of this test's own, which the client libraries in this process and in its children ask.

    They read HF_ENDPOINT when they are imported, which may have been in an earlier test: so their constants are set as well.
    """
    import datasets.config
    import huggingface_hub.constants

    from brewslm.settings import settings

    with running_hub() as made:
        for name, value in made.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", made.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", made.url + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", made.url)
        settings.cache_clear()
        yield made
    settings.cache_clear()


def parquet(columns: dict[str, Any], schema: Any = None, *, row_group_size: int = 1000) -> bytes:
    """A Parquet file of these columns."""
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema), buffer, row_group_size=row_group_size)
    return buffer.getvalue()


def card(features: list[dict[str, Any]], splits: dict[str, int | None], config: str = "default", folder: str = "data") -> bytes:
    """A README.md whose head tells the features, and where the splits' files are. A split of None rows is not told of."""
    told = [{"name": name, "num_bytes": 100 * rows, "num_examples": rows} for name, rows in splits.items() if rows is not None]
    files = [{"split": name, "path": f"{folder}/{name}-*"} for name in splits]
    head: dict[str, Any] = {"dataset_info": {"config_name": config, "features": features}}
    if told:
        head["dataset_info"]["splits"] = told
    head["configs"] = [{"config_name": config, "data_files": files, "default": True}]
    return f"---\n{yaml.safe_dump(head)}---\n# A dataset\n".encode()


def add_imdb(hub: Hub, rows: int) -> Repository:
    """stanfordnlp/imdb in its own layout, also called imdb: labels are integers, and the rows are sorted by them."""
    import pyarrow

    words = "a,slow,lovely,dull,film,with,clumsy,brave,actors,that,nobody,will,forget,before,its,long,end".split(",")  # noqa: SIM905
    chance = random.Random(7)
    names = {"0": "neg", "1": "pos"}
    schema = pyarrow.schema({"text": pyarrow.string(), "label": pyarrow.int64()})
    files: dict[str, bytes] = {}
    for split, count in (("train", rows), ("test", 20)):
        texts = [f"{split} review {number}: {' '.join(chance.choices(words, k=25))}." for number in range(count)]
        labels = [int(number >= count // 2) for number in range(count)]
        files[f"plain_text/{split}-00000-of-00001.parquet"] = parquet({"text": texts, "label": labels}, schema)
    label = {"name": "label", "dtype": {"class_label": {"names": names}}}
    files["README.md"] = card(
        [{"name": "text", "dtype": "string"}, label], {"train": rows, "test": 20}, "plain_text", "plain_text"
    )
    hub.aliases["imdb"] = "stanfordnlp/imdb"
    return hub.repository("stanfordnlp/imdb", files)
