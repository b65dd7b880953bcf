"""A URL, taken apart once and strictly."""

import functools
import re
from urllib.parse import urlsplit

import ssrfguard

from .allowed import HIGHEST_PORT, NUMBER
from .errors import EgressRefusedError

LONGEST_URL = 2048
# Brackets around an IPv6 address and nothing else: `[::1]x` and `[v1.a]` mean different things to
# different parsers.
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(:[0-9]*)?", re.ASCII)
# Letters that the two editions of IDNA read as different names, so that a certificate and a name
# server could belong to two owners.
AMBIGUOUS_LETTERS = re.compile("[\u00df\u03c2\u200c\u200d]")


@functools.cache
def _parser() -> ssrfguard.Policy:
    """Judges the form of a URL and nothing about where it leads."""
    return ssrfguard.Policy(
        allowed_networks=("0.0.0.0/0", "::/0"),  # type: ignore[arg-type]  # it parses strings
        allowed_ports=frozenset(range(1, HIGHEST_PORT + 1)),
        max_url_length=LONGEST_URL,
    )


@functools.lru_cache(maxsize=1000)
def parse_target(url: str) -> ssrfguard.Target:
    """Take a URL apart, strictly. Where it leads is judged at every attempt.

    Raises: EgressRefusedError.
    """
    try:
        target = _parser().check_url(url)
    except (ssrfguard.SSRFGuardError, ValueError) as refused:
        raise EgressRefusedError(str(refused)) from refused
    _refuse_disguise(target, urlsplit(url).netloc)
    return target


def _refuse_disguise(target: ssrfguard.Target, authority: str) -> None:
    """Refuse a host that another reader of the same URL would take for another one."""
    written = str(target.host_as_written)
    if not AUTHORITY.fullmatch(authority) or AMBIGUOUS_LETTERS.search(written.lower()):
        raise EgressRefusedError(f"{authority!r} can be read in two ways")
    is_disguised = (
        not written.isascii() if target.is_literal_address else bool(NUMBER.fullmatch(target.host))
    )
    if is_disguised:
        raise EgressRefusedError(f"{written} is an address in disguise")


def plain_url(target: ssrfguard.Target, url: str) -> str:
    """The URL put together from its parts, so that no later parser can find another host in it."""
    parts = urlsplit(url)
    host = f"[{target.host}]" if ":" in target.host else target.host
    query = f"?{parts.query}" if parts.query else ""
    return f"{target.scheme}://{host}:{target.port}{parts.path or '/'}{query}"


def origin_of(url: str) -> str:
    """`scheme://host:port`, normalised: the receiver that lanes are kept for.

    A URL that cannot be taken apart is a lane of its own, where it will be refused.
    """
    try:
        target = parse_target(url)
    except EgressRefusedError:
        return "unparsable"
    return f"{target.scheme}://{name_of(target)}:{target.port}"


def host_of(url: str) -> str:
    """The host that a URL names, as names are compared.

    Raises: EgressRefusedError.
    """
    return name_of(parse_target(url))


def name_of(target: ssrfguard.Target) -> str:
    """The host as names are compared: `example.org.` and `example.org` are one."""
    return target.host.lower().rstrip(".")
