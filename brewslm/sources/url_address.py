"""Whom a URL may be fetched from: its host's addresses are looked up once, and one that is not public refuses it."""

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from brewslm.errors import StageError
from brewslm.reasons.refusals import AddressRefused, SourceUnavailable
from brewslm.reasons.shown import shown_url
from brewslm.settings import settings

if TYPE_CHECKING:
    import httpx2

Resolver = Callable[[str, int], list[str]]
"""Host and port to the addresses that they have now."""

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_KINDS = ("unspecified", "loopback", "link_local", "multicast", "reserved", "site_local", "private")
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")))
"""IANA's special-purpose networks that `ipaddress` of Python 3.11 takes for public, or does in some of its releases."""
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True)
class Target:
    """Where a URL leads.

    Attributes:
        url: With the address that is to be asked in place of the name: nothing is looked up a second time.
        host: For the request's Host.
        name: For the certificate and SNI.
    """

    url: "httpx2.URL"
    host: str
    name: str


def resolved(host: str, port: int) -> list[str]:
    """As the system resolves it."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def parsed(written: str) -> "httpx2.URL":
    """A URL as it was written, without its fragment.

    Raises:
        StageError(AddressRefused): It is none.
    """
    import httpx2

    try:
        return httpx2.URL(written).copy_with(fragment=None)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise refused(written, "it can't be read as a URL with a plain host name") from error


def target_of(url: "httpx2.URL", resolver: Resolver) -> Target:
    """The one address that may be asked for this URL.

    Raises:
        StageError(AddressRefused): It is not https, holds a user or a password, or leads to an address that is not public;
            BREWSLM_URL_HOSTS may list its host.
        StageError(SourceUnavailable): Its name has no address.
    """
    host = url.raw_host.decode("ascii").removesuffix(".")
    bracketed = f"[{host}]" if ":" in host else host
    port = url.port if url.port is not None else {"http": 80}.get(url.scheme, 443)
    listed = not {bracketed, f"{bracketed}:{port}"}.isdisjoint(map(str.lower, settings().url_hosts))
    if url.scheme != "https" and not (url.scheme == "http" and listed):
        raise refused(str(url), f"its scheme is {url.scheme[:20] or 'missing'}, not https")
    if url.userinfo:
        next_step = "Leave user and password out: a locator is kept and shown. Fetch the file yourself, and name it as file:."
        raise refused(str(url), "it holds a user name or a password", next_step)
    if not 0 < port < 65536:
        raise refused(str(url), f"there is no port {port}")
    addresses = _addresses(url, host, port, resolver)
    for address in () if listed else addresses:
        if kind := not_public(address):
            leads = "is" if address == host else f"leads to {address}, which is"
            raise refused(str(url), f"{bracketed} {leads} {kind}")
    shown_port = "" if url.port is None else f":{port}"
    return Target(url.copy_with(host=addresses[0]), f"{bracketed}{shown_port}", host)


def _addresses(url: "httpx2.URL", host: str, port: int, resolver: Resolver) -> list[str]:
    if ":" in host and "%" not in host:  # an IPv6 address; httpx2 has read it. With a zone it is one of this machine's networks
        return [str(ip_address(host))]
    if not _NAME.fullmatch(host):
        raise refused(str(url), "its host is no plain name")
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # 127.1, 2130706433, 0x7f.1, 0177.0.0.1: addresses to some, names to others
        raise refused(str(url), "its host is an odd spelling of an address", "Write the address as four decimal numbers.")
    try:
        found = resolver(host, port)
    except (OSError, UnicodeError) as error:
        cause = f"{host} has no address: {getattr(error, 'strerror', None) or 'its name is too long'}"
        raise StageError(SourceUnavailable(), where=shown_url(str(url)), cause=cause) from error
    if not found:
        raise StageError(SourceUnavailable(), where=shown_url(str(url)), cause=f"{host} has no address")
    return found


def not_public(address: str) -> str:
    """What kind of address it is, if not one of the public internet; "" if it is."""
    ip = ip_address(address.partition("%")[0])
    inside = list(_embedded(ip)) if isinstance(ip, IPv6Address) else []
    for each in inside:
        if kind := not_public(str(each)):
            return f"{kind}, inside an IPv6 address"
    public = ip.is_global if isinstance(ip, IPv4Address) else ip in _GLOBAL_UNICAST and ip.is_global
    public = public and not (ip.is_multicast or ip.is_reserved or any(ip in network for network in _NOT_PUBLIC))
    if public or (inside and ip not in _GLOBAL_UNICAST):
        return ""
    kind = next((kind for kind in _KINDS if getattr(ip, f"is_{kind}", False)), "not public")
    return f"{kind.replace('_', '-')} ({ip})"


def _embedded(ip: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses to which a router or this machine itself would turn it: mapped, 6to4, NAT64, ISATAP."""
    for found in (ip.ipv4_mapped, ip.sixtofour):
        if found is not None:
            yield found
    if ip in _NAT64 or int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(int(ip) & 0xFFFFFFFF)


def refused(url: str, cause: str, next_step: str = "") -> StageError:
    """The refusal of a URL, which is shown without its secrets."""
    return StageError(AddressRefused(), where=shown_url(url), cause=cause, next_step=next_step)
