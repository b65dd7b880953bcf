"""Where a call came from, as far as it can be trusted."""

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN = "unknown"
IPV6_PREFIX = 64
LONGEST = 100  # an IPv6 address with the name of an interface is shorter


def client_address(peer: str, forwarded: str) -> str:
    """The caller to count under: an IPv4 address, or the /64 network of an IPv6 one.

    `forwarded` is the value of X-Forwarded-For. It counts only if the direct peer is one of
    TRUSTED_PROXIES, and then the last entry that is not a proxy itself: what stands before it
    was sent by the caller and may say anything.
    """
    address = _parsed(peer)
    for entry in reversed(forwarded.split(",")):
        before = _parsed(entry.strip())
        if address is None or before is None or not _is_proxy(address):
            break
        address = before
    return UNKNOWN if address is None else _counted(address)


def address_of_request(meta: Mapping[str, Any]) -> str:
    """The caller of a WSGI request."""
    return client_address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The caller of an ASGI connection."""
    peer = (scope.get("client") or [""])[0]
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer, b",".join(named).decode("latin-1"))


def _parsed(text: str) -> Address | None:
    return _read(text) if len(text) <= LONGEST else None


@functools.lru_cache(4096)
def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_proxy(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _counted(address: Address) -> str:
    """One caller may own a whole /64, so it is counted as one."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address)
