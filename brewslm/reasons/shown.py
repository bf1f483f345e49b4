"""A locator as it may be told: a URL's query may hold a token, and the event stream is for ever."""

import re
from typing import Annotated

from pydantic import AfterValidator

_USER = re.compile(r"(//)[^/?#]*@")


def shown_locator(locator: str) -> str:
    """The locator without what a URL may keep secret: user, fragment, and every value of the query.

    `url:https://example.org/rows.csv?token=abc&page=2` becomes `url:https://example.org/rows.csv?token=…&page=…`.
    """
    return shown_url(locator) if "://" in locator or locator.startswith("url:") else locator


def shown_url(url: str) -> str:
    """As `shown_locator`, of what is meant as a URL, however it is written."""
    address, mark, query = _USER.sub(r"\1…@", url.partition("#")[0]).partition("?")
    return address + mark + "&".join(_without_value(part) for part in query.split("&"))


def _without_value(part: str) -> str:
    name, sign, _ = part.partition("=")
    return f"{name}=…" if sign else "…" * bool(part)


ShownLocator = Annotated[str, AfterValidator(shown_locator)]
"""A locator in an event. It is mended where the event is made, so that no caller can forget it."""
