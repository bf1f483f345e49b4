"""The target `endpoint`: a model server that somebody else runs, at an address that speaks OpenAI's API."""

import re
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from brewslm.serving.endpoints import Endpoint
from brewslm.serving.targets.base import Lacking, Servable, Server, Target
from brewslm.store.secrets import ENDPOINT_KEYS, endpoint_key

KEY_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def checked_url(url: str) -> str:
    """An address up to and with "/v1", or "".

    Raises:
        ValueError: It is none, or holds what belongs in no table.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("url must be an http or https address, such as http://10.0.0.7:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("url must hold no user, password, query or fragment; name a key with key=NAME")
    return url.rstrip("/")


def checked_key(name: str) -> str:
    """The name of a key, or "".

    Raises:
        ValueError: It is no name; perhaps it is the key itself.
    """
    if name and not KEY_NAME.fullmatch(name):
        raise ValueError("key must be the name of a key (lower-case letters, digits, hyphens), never the key itself")
    return name


class EndpointSettings(BaseModel):
    """Where it answers.

    Attributes:
        url: Up to and with "/v1".
        model: The name that it answers to.
        key: The name of its key, which is read from BREWSLM_KEY_<NAME> or from the project's secrets when it is asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    model: str = Field(min_length=1)
    key: str = ""

    _url = field_validator("url")(checked_url)
    _key = field_validator("key")(checked_key)


class Elsewhere:
    """A server that is not ours to start, nor to end. Whether it answers is the smoke check's affair, and the gateway's."""

    returncode = None

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def endpoint(self) -> Endpoint:
        """Where it answers."""
        return self._endpoint

    def stop(self) -> None:
        """It goes on."""


class EndpointTarget(Target):
    """Any OpenAI-compatible address."""

    name: ClassVar[str] = "endpoint"
    meaning: ClassVar[str] = "A model server that runs elsewhere: any OpenAI-compatible address, by its URL and model name."
    Settings: ClassVar[type[BaseModel]] = EndpointSettings

    def refusal(self, servable: Servable) -> str:
        """What doesn't chat can't be asked there."""
        return "" if servable.chats else "an OpenAI endpoint answers chats, and this model does not write text after text"

    def lacking(self, servable: Servable) -> Lacking | None:
        """The key, where one is named."""
        return lacking_key(servable.project_id, EndpointSettings.model_validate(servable.settings).key)

    def start(self, servable: Servable, log: Path) -> Server:
        """It runs already."""
        return elsewhere(servable.project_id, EndpointSettings.model_validate(servable.settings))


def elsewhere(project_id: int, options: EndpointSettings) -> Elsewhere:
    """The server at an address."""
    return Elsewhere(Endpoint(base_url=options.url, model=options.model, key=options.key, project_id=project_id))


def lacking_key(project_id: int, name: str) -> Lacking | None:
    """What to do where a key is named and is not there."""
    if not name or endpoint_key(project_id, name):
        return None
    variable = ENDPOINT_KEYS + name.upper().replace("-", "_")
    return Lacking(
        f"there is no key {name}", f"Keep it with brewslm deploy key {name} --project {project_id}, or set {variable}."
    )
